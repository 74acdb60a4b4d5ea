/** Put text on the clipboard, on a page without TLS too. */

export async function copyText(text: string): Promise<void> {
  // On plain HTTP there is no clipboard to write to, whatever the types say.
  const clipboard = navigator.clipboard as Clipboard | undefined
  if (clipboard) {
    try {
      await clipboard.writeText(text)
      return
    } catch {
      // Refused, perhaps because the page lost the focus: the old way may still do.
    }
  }
  const field = document.createElement('textarea')
  field.value = text
  field.readOnly = true
  field.className = 'hidden'
  // A modal dialog lets nothing outside itself be selected.
  const place = document.querySelector('dialog[open]') ?? document.body
  place.append(field)
  field.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what browsers offer without TLS
  const done = document.execCommand('copy')
  field.remove()
  if (!done) throw new Error('The browser did not let the page copy. Select the text and copy it by hand.')
}
