/** The least round number (1, 2 or 5 times a power of ten) at or above `value`: the top of an axis that can be read. */
export function roundTop(value: number): number {
  if (value <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const top = [1, 2, 5, 10].find((times) => times * power >= value) ?? 10
  return top * power
}

const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 2 })

/** 12345 -> "12K": for an axis, where there is no room for more. */
export function compact(value: number): string {
  return short.format(value)
}
