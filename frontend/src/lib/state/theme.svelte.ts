// Dark or light: as the system says, or as the reader chose. Canvases are told when it changes.
import { place } from "./place.svelte";

class ThemeStore {
  #system = $state(matchMedia("(prefers-color-scheme: dark)").matches);

  constructor() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => (this.#system = event.matches));
  }

  get isDark(): boolean {
    return place.current.theme === "auto" ? this.#system : place.current.theme === "dark";
  }

  /** Put the choice on the root, where the style sheet looks for it. */
  apply(): void {
    const { theme } = place.current;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }
}

export const theme = new ThemeStore();
