// Numbers that the reader has changed: a list of edits without two for the same element.
import type { Edit, TraceInfo } from "../../lib/api/types";
import { subjectText, type Subject } from "../../lib/state/address";

const isSame = (one: Subject, other: Subject) => subjectText(one) === subjectText(other);

export function withEdit(edits: readonly Edit[], edit: Edit): Edit[] {
  return [...withoutEdit(edits, edit), edit];
}

export function withoutEdit(edits: readonly Edit[], subject: Subject): Edit[] {
  return edits.filter((one) => !isSame(one, subject));
}

export function findEdit(edits: readonly Edit[], subject: Subject): Edit | null {
  return edits.find((one) => isSame(one, subject)) ?? null;
}

/** What can be changed: inputs first, then weights; what an optimizer remembers is no part of the model. */
export function editableNames(trace: TraceInfo): string[] {
  const names = Object.keys(trace.values).filter((name) => !/^(optimizer|target)\b/.test(name));
  return [
    ...names.filter((name) => trace.values[name]!.role === "input"),
    ...names.filter((name) => trace.values[name]!.role === "weight"),
  ];
}
