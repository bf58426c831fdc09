import { fireEvent, render, screen } from "@testing-library/svelte";
import { afterEach, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import { expectAccessible } from "../../test/accessible";
import ScratchPart from "./ScratchPart.svelte";

afterEach(() => vi.restoreAllMocks());

test("code is asked for when the part is opened, the nearest first", async () => {
  const code = (name: string) => ({
    says: "",
    module: "openbook.scratch",
    parts: [{ title: name, text: `class ${name}:` }],
  });
  const asked = vi.spyOn(client, "scratch").mockResolvedValue({ Linear: code("Linear"), ReLU: code("ReLU") });
  const { container } = render(ScratchPart, { names: ["ReLU", "Linear"] });
  expect(asked).not.toHaveBeenCalled();
  const part = container.querySelector("details")!;
  part.open = true;
  await fireEvent(part, new Event("toggle"));
  expect(await screen.findByText("class ReLU:")).toBeTruthy();
  expect([...container.querySelectorAll("code")].map((each) => each.textContent!.trim())).toEqual([
    "class ReLU:",
    "class Linear:",
  ]);
  await expectAccessible(container);
});
