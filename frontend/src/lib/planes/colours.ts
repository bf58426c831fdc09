// The colours of the style sheet, for canvases.
import type { Colours } from "./renderer";

/** Read anew when the theme changes: a canvas does not follow custom properties. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const property = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: property("--ink"),
    soft: property("--ink-soft"),
    paper: property("--paper"),
    waiting: property("--paper-sunk"),
    nonfinite: property("--danger"),
    mark: property("--mark"),
    font: property("--serif") || "serif",
  };
}
