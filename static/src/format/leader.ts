import type { Instance, Status } from '../api/wire'
import type { Leader } from './health'

/** Who leads, as the instance that answered sees it; `instances` give the leader's host. */
export function leaderOf({ lease, instance }: Status, instances: readonly Instance[]): Leader {
  const none = !lease?.live || lease.holder === null
  const host = none ? null : (instances.find((one) => one.id === lease.instance)?.host ?? null)
  return { none, here: !none && lease.instance === instance, host }
}
