import { describe, expect, test } from "vitest";
import { parseSubject, readAddress, START, subjectText, writeAddress, type Place } from "./address";

const again = (change: Partial<Place>) => readAddress(`#${writeAddress({ ...START, ...change })}`);

test("the start has an empty address", () => {
  expect(writeAddress(START)).toBe("");
  expect(readAddress("")).toEqual(START);
});

test("one exact cell can be sent, and its address can be read by a person", () => {
  const place = { model: "reviews", view: "values", value: "block_1/attention/weights", index: [0, 1, 3, 2] };
  expect(writeAddress({ ...START, ...place })).toBe(
    "model=reviews&view=values&value=block_1/attention/weights&index=0,1,3,2",
  );
  expect(again(place)).toEqual({ ...START, ...place });
});

describe("everything comes back as it was", () => {
  test.each<Partial<Place>>([
    { input: { kind: "text", text: "a & b = #1 + 50% “ü” \n <b>" } },
    { input: { kind: "text", text: "" } },
    { input: { kind: "line", text: '{"size": "120", "town": "Oslo & Bergen"}' } },
    { input: { kind: "example", id: "mistake 3" } },
    { input: { kind: "image", picture: "data:image/png;base64,AAAA+/=", settings: { invert: "auto", range: "0…1" } } },
    { input: { kind: "arrays", arrays: { readings: [[0.5, -1e-7]] } } },
    { mode: "step", target: "good" },
    { target: [[1, 2]] },
    {
      edits: [
        { name: "a/b=c", index: [1, 2], value: -2.5e-7 },
        { name: "bias", index: [], value: 0 },
      ],
    },
    {
      walk: [
        { name: "output", index: [0, 3, 258] },
        { name: "x", index: [] },
      ],
    },
    { also: ["One more & one", ""] },
    { view: "lenses", lens: "grad-cam", lensSettings: { layer: "backbone/convolution_1", class_name: "a & b" } },
    { other: {} },
    { other: { checkpoint: "" } },
    { other: { text: "That & this" } },
    { rows: 1, cols: 3, picture: "arcs", palette: "grey", theme: "dark", language: "de" },
    { stage: "scores", block: "block_2", search: "attention query", checkpoint: "step-75" },
  ])("%j", (change) => expect(again(change)).toEqual({ ...START, ...change }));
});

test("what cannot be read is left at its default", () => {
  const place = readAddress("#index=1,x&mode=fly&theme=pink&target={&edit=broken&walk=alsobroken&drawing=javascript:1");
  expect(place).toEqual(START);
});

test("a picture that is too long for an address stays out of it", () => {
  const picture = `data:image/png;base64,${"A".repeat(200_000)}`;
  expect(writeAddress({ ...START, input: { kind: "image", picture, settings: {} } })).toBe("");
});

test("a subject is a name with its index", () => {
  expect(parseSubject("a[1]/b[0,2]")).toEqual({ name: "a[1]/b", index: [0, 2] });
  expect(subjectText({ name: "loss", index: [] })).toBe("loss[]");
  expect(parseSubject("loss")).toBeNull();
});
