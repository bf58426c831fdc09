import { expect, test } from "vitest";
import type { TraceInfo } from "../api/types";
import recorded from "../../test/recorded/forecast.json";
import { buildTree, formulaOf, pathTo, searchRows, visibleRows, type TreeNode } from "./tree";

const trace = recorded.trace as unknown as TraceInfo;
const tree = buildTree(trace);
const all = (nodes: readonly TreeNode[]): TreeNode[] => nodes.flatMap((node) => [node, ...all(node.children)]);

test("inputs come first, weights stand in their layers before what is computed from them", () => {
  expect(tree.map(({ label }) => label).slice(0, 1)).toEqual(["input/readings"]);
  const forecast = tree.find(({ label }) => label === "forecast")!;
  expect(forecast.children.slice(0, 2).map(({ kind, label }) => [kind, label])).toEqual([
    ["weight", "kernel"],
    ["weight", "bias"],
  ]);
});

test("each result of a step with several has a row", () => {
  const split = all(tree).find(({ label }) => label === "split")!;
  expect(split.children.map(({ name }) => name)).toEqual([
    "lstm/input_gate_pre_activation",
    "lstm/forget_gate_pre_activation",
    "lstm/cell_candidate_pre_activation",
    "lstm/output_gate_pre_activation",
  ]);
});

test("ids are unique", () => {
  const ids = all(tree).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("only children of expanded nodes are rows, with their place among their siblings", () => {
  const closed = visibleRows(tree, () => false);
  expect(closed).toHaveLength(tree.length);
  const open = visibleRows(tree, (id) => id === tree.find(({ label }) => label === "forecast")!.id);
  expect(open.find(({ node }) => node.label === "bias")).toMatchObject({ level: 2, position: 2, isExpanded: false });
});

test("the way to a value ends at the step that makes it", () => {
  expect(pathTo(tree, "lstm/lstm_cell/add").map(({ label }) => label)).toEqual(["lstm", "scan", "lstm_cell", "add"]);
  expect(pathTo(tree, "nothing")).toEqual([]);
  expect(formulaOf(tree, "lstm/lstm_cell/add")).toBe("");
});

test("a search wants every word", () => {
  expect(searchRows(trace, "FORECAST bias").map(({ node }) => node.name)).toEqual(["forecast/bias"]);
});
