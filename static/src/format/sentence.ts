/** What somebody said, so that more can be said behind it: "no answer" -> "No answer." */
export function sentence(words: string): string {
  const said = words.trim()
  return said.charAt(0).toUpperCase() + said.slice(1) + (/[.!?…]$/.test(said) ? '' : '.')
}
