// A formula in textbook notation cut into what is set differently.

export interface FormulaPart {
  kind: "text" | "variable" | "sub" | "sup";
  text: string;
}

// A mark with braces or with one run of letters, digits and Greek; a letter that stands alone.
const PART = /([_^])(?:\{([^}]*)\}|(\p{L}[\p{L}\d]*|\d+))|(?<![\p{L}\p{N}_./])(\p{L})(?![\p{L}\p{Nd}(./])/gu;
const NOT_VARIABLES = new Set(["Σ", "Π", "√"]);

export function parseFormula(text: string): FormulaPart[] {
  const parts: FormulaPart[] = [];
  let end = 0;
  for (const match of text.matchAll(PART)) {
    const [whole, mark, braced, plain, letter] = match;
    if (letter !== undefined && NOT_VARIABLES.has(letter)) continue;
    // An underscore inside a name (block_1, head_dim) is no subscript.
    if (mark === "_" && /\p{L}{2,}$/u.test(text.slice(0, match.index))) continue;
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    if (letter !== undefined) parts.push({ kind: "variable", text: letter });
    else parts.push({ kind: mark === "_" ? "sub" : "sup", text: braced ?? plain ?? "" });
    end = match.index + whole.length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}
