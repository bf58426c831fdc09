// A row of named columns as text, as `openbook try` takes it, and back into the fields of a form.

/** The values by name that a text holds; what is not written as `name=value` or as a JSON object is left out. */
export function valuesOf(text: string): Record<string, string> {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    try {
      const read = JSON.parse(trimmed) as Record<string, unknown>;
      return Object.fromEntries(Object.entries(read).map(([name, value]) => [name, String(value ?? "")]));
    } catch {
      return {};
    }
  }
  const values: Record<string, string> = {};
  // A comma ends a value only where a name follows.
  for (const [, name, value] of trimmed.matchAll(/(?:^|[,;\n])\s*([^=,;\n]+?)\s*=(.*?)(?=[,;\n]\s*[^=,;\n]+?\s*=|$)/gs))
    values[name!] = value!.trim();
  return values;
}

/** Values as text: what is empty is left out, so that something typical stands for it. */
export function textOf(values: Record<string, string>): string {
  const given = Object.entries(values).filter(([, value]) => value.trim() !== "");
  const isPlain = given.every(([name, value]) => !/[=,;\n"{}]/.test(name + value));
  return isPlain
    ? given.map(([name, value]) => `${name}=${value}`).join(", ")
    : JSON.stringify(Object.fromEntries(given));
}
