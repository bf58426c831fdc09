// Facts of a run (settings, data report, machine) as texts: names in words, numbers with their units.
import { findMessage, t } from "../../lib/messages/messages";
import { short } from "../../lib/numbers/numbers";

/** What a key stands for: the page's own words where it has some, else the key in words. */
export function factName(key: string): string {
  return findMessage(`run.fact.${key}`) ?? inWords(key);
}

function inWords(key: string): string {
  const words = key.startsWith("num_")
    ? `${t("run.number_of")} ${key.slice(4)}`
    : key.replace(/_s$/, "").replace(/_bytes$/, ` ${t("run.size")}`);
  const text = words.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A fact as text. Units follow from the key's ending, as everywhere in openbook: _s, _bytes, _share. */
export function factText(key: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return t("run.none");
  if (typeof value === "boolean") return t(value ? "run.yes" : "run.no");
  if (typeof value === "number") return numberText(key, value);
  if (Array.isArray(value)) {
    if (!value.length) return t("run.none");
    const [first, second] = value as unknown[];
    const isRange = value.length === 2 && typeof first === "number" && typeof second === "number" && first <= second;
    return value.map((one) => factText(key, one)).join(isRange ? " – " : ", ");
  }
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, one]) => `${factName(name)}: ${factText(name, one)}`)
      .join(", ");
  }
  return String(value);
}

function numberText(key: string, value: number): string {
  if (key.endsWith("_bytes")) return sizeText(value);
  if (key.endsWith("_s") && !key.endsWith("_per_s")) return durationText(value);
  if (key.endsWith("_share") || key === "accuracy") return `${short(value * 100, 4)} %`;
  return Number.isInteger(value) ? value.toLocaleString(document.documentElement.lang || "en") : short(value);
}

/** 398.98 kB: steps of a thousand. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (bytes >= 1000 && step < units.length - 1) {
    bytes /= 1000;
    step++;
  }
  return `${short(bytes, step ? 4 : 15)} ${units[step]}`;
}

/** 1 h 02 min, 1 min 55 s, 17.6 s */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${short(seconds, 3)} s`;
  const whole = Math.round(seconds);
  const two = (number: number) => String(number).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Whether two settings are the same, whatever they are made of. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
