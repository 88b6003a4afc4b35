/**
 * What V8 says of a text that is not JSON, without what it quotes of it: that may be a password. The line instead.
 * @param text what `JSON.parse` refused with `error`.
 */
export function whyNotJson(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [quotation, quoted = ''] = /,? (?:\.{3})?"(.*)"(?:\.{3})? is not valid JSON$/s.exec(message) ?? [];
  if (quotation === undefined) return message;
  const line = text.slice(0, text.indexOf(quoted)).split('\n').length;
  return `${message.slice(0, -quotation.length)} (line ${line})`;
}
