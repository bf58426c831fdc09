// The chapters of the page, in the order in which they are offered. A new one is a line here.
import type { Component } from "svelte";
import { client } from "../lib/api/client";
import type { ModelInfo } from "../lib/api/types";
import type { MessageKey } from "../lib/messages/messages";
import CompareView from "./compare/CompareView.svelte";
import EditView from "./edit/EditView.svelte";
import LensesView from "./lenses/LensesView.svelte";
import RunView from "./run/RunView.svelte";
import StepView from "./step/StepView.svelte";
import StoryView from "./story/StoryView.svelte";
import ValuesView from "./values/ValuesView.svelte";

export interface View {
  id: string;
  title: MessageKey;
  component: Component<{ model: ModelInfo }>;
  /** Whether the model has what the view shows. */
  fits(model: ModelInfo): boolean;
}

export const views: readonly View[] = [
  { id: "story", title: "view.story", component: StoryView, fits: (model) => model.story.stages.length > 0 },
  { id: "values", title: "view.values", component: ValuesView, fits: () => true },
  { id: "compare", title: "view.compare", component: CompareView, fits: () => true },
  { id: "step", title: "view.step", component: StepView, fits: (model) => model.can_step && !client.isSaved },
  { id: "edit", title: "view.edit", component: EditView, fits: () => !client.isSaved },
  { id: "lenses", title: "view.lenses", component: LensesView, fits: (model) => model.has_lenses },
  { id: "run", title: "view.run", component: RunView, fits: (model) => model.has_run },
];
