const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** 1234567 -> "1,234,567". */
export function count(value: number): string {
  return whole.format(value)
}

/** Bytes in decimal units: 1234567 -> "1.23 MB". */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let size = value
  let unit = 0
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${short.format(size)} ${units[unit] ?? ''}`
}

/** Rows a second: whole from ten up, one decimal below. */
export function perSecond(value: number): string {
  return `${value >= 10 || value === 0 ? count(value) : value.toFixed(1)}/s`
}

/** "1 job", "2 jobs", "3 are in step" and the like. */
export function plural(value: number, one: string, many: string = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}
