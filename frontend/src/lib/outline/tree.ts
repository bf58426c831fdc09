// The outline as a tree for the page: the server's nodes, with inputs and weights put where they belong.
import type { OutlineNode, TraceInfo } from "../api/types";

export type NodeKind = OutlineNode["kind"] | "input" | "weight";

export interface TreeNode {
  /** Unique, and the same for the same node of another trace of the model. */
  id: string;
  kind: NodeKind;
  label: string;
  /** The value that the node shows: its main result. */
  name: string | null;
  shape: readonly number[] | null;
  formula: string;
  numTimes: number;
  children: TreeNode[];
}

/** A node as it is listed: with its depth and its place among its siblings. */
export interface TreeRow {
  node: TreeNode;
  level: number;
  position: number;
  numSiblings: number;
  isExpanded: boolean;
}

export function buildTree(trace: TraceInfo): TreeNode[] {
  const byPath = new Map<string, TreeNode>();
  const root = convert(trace.outline, "", byPath);
  const inputs: TreeNode[] = [];
  const strayWeights: TreeNode[] = [];
  for (const [name, info] of Object.entries(trace.values)) {
    if (info.role === "input") inputs.push(leaf("input", name, name, info.shape));
    if (info.role !== "weight") continue;
    const owner = ownerOf(name, byPath);
    const label = owner ? name.slice(owner.path.length + 1) : name;
    (owner ? owner.node.children : strayWeights).push(leaf("weight", name, label, info.shape));
  }
  // Weights were added behind the steps; they stand before what is computed from them.
  for (const node of byPath.values())
    node.children.sort((a, b) => Number(b.kind === "weight") - Number(a.kind === "weight"));
  return [...inputs, ...strayWeights, ...root.children];
}

function convert(node: OutlineNode, parent: string, byPath: Map<string, TreeNode>): TreeNode {
  const name = node.names[0] ?? null;
  const id = `${parent}>${node.kind}:${node.path || node.label}:${name ?? ""}`;
  const result: TreeNode = {
    id,
    kind: node.kind,
    label: node.label,
    name,
    shape: node.shapes[0] ?? null,
    formula: node.formula ?? "",
    numTimes: node.num_times ?? 1,
    children: [],
  };
  if (node.kind !== "step" && node.kind !== "program" && !byPath.has(node.path)) byPath.set(node.path, result);
  result.children = [
    // A step with several results (the gates of a split, the states of a loop) has a row for each.
    ...(node.names.length > 1 ? node.names.map((one, i) => leaf("step", one, one, node.shapes[i] ?? [], id)) : []),
    ...(node.children ?? []).map((child) => convert(child, id, byPath)),
  ];
  return result;
}

function leaf(kind: NodeKind, name: string, label: string, shape: readonly number[], parent = ""): TreeNode {
  return { id: `${parent}>${kind}:${name}`, kind, label, name, shape, formula: "", numTimes: 1, children: [] };
}

/** The innermost node whose path a name begins with. */
function ownerOf(name: string, byPath: Map<string, TreeNode>): { path: string; node: TreeNode } | null {
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    const path = name.slice(0, end);
    const node = byPath.get(path);
    if (node) return { path, node };
  }
  return null;
}

/** The nodes that are seen: children only of expanded ones. */
export function visibleRows(nodes: readonly TreeNode[], isExpanded: (id: string) => boolean, level = 1): TreeRow[] {
  return nodes.flatMap((node, i) => {
    const expanded = node.children.length > 0 && isExpanded(node.id);
    const row = { node, level, position: i + 1, numSiblings: nodes.length, isExpanded: expanded };
    return expanded ? [row, ...visibleRows(node.children, isExpanded, level + 1)] : [row];
  });
}

/** The way down to the first node that shows a value, outermost first; empty where there is none. */
export function pathTo(nodes: readonly TreeNode[], name: string): TreeNode[] {
  // The node itself rather than a block whose result it also is: the deepest one.
  for (const node of nodes) {
    const below = pathTo(node.children, name);
    if (below.length) return [node, ...below];
  }
  const own = nodes.find((node) => node.name === name);
  return own ? [own] : [];
}

/** The formula of the operation that a value is the result of. */
export function formulaOf(nodes: readonly TreeNode[], name: string): string {
  return pathTo(nodes, name).findLast((node) => node.formula && node.name === name)?.formula ?? "";
}

/** All values whose name has every word of the search, as a flat list. */
export function searchRows(trace: TraceInfo, search: string): TreeRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const names = Object.keys(trace.values).filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  return names.map((name, i) => {
    const info = trace.values[name]!;
    const kind: NodeKind = info.role === "weight" ? "weight" : info.role === "input" ? "input" : "step";
    const node = leaf(kind, name, name, info.shape);
    return { node, level: 1, position: i + 1, numSiblings: names.length, isExpanded: false };
  });
}
