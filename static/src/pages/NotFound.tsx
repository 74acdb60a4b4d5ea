import { Link } from 'wouter'
import { Blank } from '../parts/Blank'
import { Head } from '../parts/Head'

/** An address, or an id, of nothing. */
export function NotFound({ what = 'page', children }: { what?: string; children?: string }) {
  return (
    <>
      <Head title={`No such ${what}`} />
      <div className="panel">
        <Blank icon="alert" title={children ?? 'There is no page at this address'}>
          <p>It may have been removed, or the address may be mistyped.</p>
          <Link href="/" className="button">
            Go to the overview
          </Link>
        </Blank>
      </div>
    </>
  )
}
