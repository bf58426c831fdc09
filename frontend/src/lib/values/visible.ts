// Text that can be seen: spaces and line breaks of tokens as signs that every font has.
const SIGNS: Record<string, string> = { " ": "·", "\n": "↵", "\t": "⇥", "\r": "←" };

/** A label as it is shown: spaces at its ends and all line breaks become signs. */
export function visibleText(text: string): string {
  return text.replace(/^ +| +$|[\n\t\r]/g, (part) => Array.from(part, (sign) => SIGNS[sign]!).join(""));
}
