// Where the reader is. It lives in the address, so that one exact cell can be sent to somebody else, and the
// browser's "back" leads back.
import { readAddress, writeAddress, type Place, type Subject } from "./address";

class PlaceStore {
  #current = $state.raw<Place>(readAddress(location.hash));

  constructor() {
    addEventListener("popstate", () => this.#read());
    addEventListener("hashchange", () => this.#read());
  }

  /** The whole place. Read single fields of it in effects: a change of one field is a new object. */
  get current(): Place {
    return this.#current;
  }

  /** Go to another page of the book: "back" returns. */
  go(change: Partial<Place>): void {
    this.#change(change, "pushState");
  }

  /** Move on the same page (a focused cell, a typed letter): "back" does not stop here. */
  move(change: Partial<Place>): void {
    this.#change(change, "replaceState");
  }

  /** Show a value with one of its elements in focus, in the view of values. */
  look(subject: Subject, walk: Subject[] = []): void {
    this.go({ view: "values", value: subject.name, index: subject.index, rows: null, cols: null, picture: null, walk });
  }

  /** An address for a link to another place. */
  link(change: Partial<Place>): string {
    return `#${writeAddress({ ...this.#current, ...change })}`;
  }

  #change(change: Partial<Place>, how: "pushState" | "replaceState"): void {
    const next = { ...this.#current, ...change };
    if (writeAddress(next) === writeAddress(this.#current)) how = "replaceState";
    this.#current = next;
    history[how](null, "", `#${writeAddress(next)}`);
  }

  #read(): void {
    const read = readAddress(location.hash);
    if (writeAddress(read) !== writeAddress(this.#current)) this.#current = read;
  }
}

export const place = new PlaceStore();
