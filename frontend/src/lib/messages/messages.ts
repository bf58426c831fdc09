// All texts of the page. A language is one file beside this one, such as de.json: it is found by its name, and
// what it lacks is shown in English.
import english from "./en.json";

export type MessageKey = keyof typeof english;
type Texts = Partial<Record<MessageKey, string>>;

const files = import.meta.glob<Texts>("./*.json", { eager: true, import: "default" });

/** The languages that there are, by their code. */
export const languages: Record<string, Texts> = Object.fromEntries(
  Object.entries(files).map(([path, texts]) => [path.slice("./".length, -".json".length), texts]),
);

let code = "en";

/** Choose the best of the wished languages ("de-CH" is content with "de"). Called once, before the page is drawn. */
export function chooseLanguage(wished: readonly string[]): string {
  code = wished.map((wish) => wish.split("-")[0]!.toLowerCase()).find((wish) => wish in languages) ?? "en";
  return code;
}

/**
 * The text of a key, with {names} replaced.
 *
 * Where `count` is given and the file has "key.one" (or "key.few" …, by the language's own rules), that text is taken.
 */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  const texts = languages[code] ?? {};
  let text: string | undefined;
  if (typeof values.count === "number") {
    const plural = `${key}.${new Intl.PluralRules(code).select(values.count)}` as MessageKey;
    text = texts[plural] ?? english[plural];
  }
  text ??= texts[key] ?? english[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** All texts whose key begins so, in the order of the English file: what follows in the key, and the text. */
export function messagesUnder(prefix: string): [string, string][] {
  const keys = Object.keys(english).filter((key) => key.startsWith(prefix)) as MessageKey[];
  return keys.map((key) => [key.slice(prefix.length), t(key)]);
}

/** The text of a key that is put together while running, such as "progress." + stage; null where there is none. */
export function findMessage(key: string, values: Record<string, string | number> = {}): string | null {
  return key in english ? t(key as MessageKey, values) : null;
}
