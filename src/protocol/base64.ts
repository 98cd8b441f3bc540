const pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Whether `text` is Base64 with its padding, and nothing but that. */
export function isBase64(text: string): boolean {
  return pattern.test(text);
}
