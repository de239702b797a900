/**
 * `openledger rewards what-if`: tunes a language model again without some rows, and compares losses (nats a token) and answers
 * with what attribution predicted.
 */
import { ownRoots, rowsOfVersion } from "@openledger/attribution/model/verify-model";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { rowNumber } from "@openledger/foundation/row-number";
import { textSetting } from "@openledger/models/tuning/recipe/model-families";
import { type WhatIfLoss, whatIf } from "@openledger/models/tuning/recipe/what-if";
import { commandError } from "../../cli/cli-errors.ts";
import { openReader, resolveLeaf } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId, parseRows } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import {
  factsOf,
  openPublished,
  showStages,
  storedRows,
  type VerifyModelOptions,
  weightsLine,
} from "../verify/verify-model.ts";

export interface WhatIfCommandOptions extends VerifyModelOptions {
  without?: string;
  leaf?: string;
  prompt?: string;
}

/** Prints losses and answers with and without the rows. */
export async function leaveRowsOut({
  args,
  options,
  output,
}: CommandContext<WhatIfCommandOptions>): Promise<void> {
  const [what] = args as [string];
  await initPoseidon();
  const { isFolder, model, places } = await openPublished(what, options, output);
  const own = { staticsHash: model.staticsHash, ...ownRoots(model.recipe) };
  const whose = options.leaf ?? (options.without === undefined ? options.account : undefined);
  const client = isFolder && whose === undefined ? null : await openReader(options);
  const facts =
    isFolder || client === null
      ? own
      : await factsOf(client, model.statics.binding, staticsOf(await getModel(client, parseId(what))).hash);
  const rows = rowsOfVersion(model, facts, await storedRows(options, model.recipe, facts));
  const without = options.without === undefined ? [] : parseRows(options.without, rows.length);
  if (client !== null && whose !== undefined) {
    const { id } = await resolveLeaf(client, options, whose);
    without.push(...[...rows.keys()].filter((i) => rows[i]!.contributorId === id));
    if (without.length === 0) throw commandError("CMD_USAGE", `leaf ${id} has contributed none of the rows`);
  }
  if (without.length === 0)
    throw commandError("CMD_USAGE", "name rows, or whose: --without 3,7-9 or --leaf LEAF");
  const [found] = await whatIf(model, rows, [without], await textSetting(places), {
    prompts: options.prompt === undefined ? [] : [options.prompt],
    onProgress: showStages(output),
  });
  const { answers, heldOut, losses, without: left } = found!;
  const lines = [
    `tuned again without ${left.length} of ${rows.length} rows: the same steps and the same order, in which they weigh nothing`,
    ...(await weightsLine(model)),
    ...(heldOut.length === 0
      ? []
      : [`held out anyway, so no step took them: ${heldOut.map(rowNumber).join(", ")}`]),
    ...renderTable([
      ["nats a token", "with them", "without", "change", "predicted", "bits a byte"],
      ...losses.map(lossLine),
    ]),
    ...answers.flatMap(({ share, text, textWithout }) => [
      `with them:  ${text}`,
      `without:    ${textWithout === text ? "(the same)" : textWithout}`,
      `of what this answer pays to rows they get ${(100 * share).toFixed(2)} %, if it is drawn`,
    ]),
  ];
  output.answer(lines, { model: what, ...found });
}

const NAMES: Partial<Record<WhatIfLoss["of"], string>> = {
  answer: "the answer",
  added: "  what tuning added to it",
};

function lossLine({ bitsPerByte, of, predicted, tuned, without }: WhatIfLoss): string[] {
  const signed = (nats: number) => `${nats < 0 ? "" : "+"}${nats.toFixed(4)}`;
  return [
    NAMES[of] ?? of,
    tuned.toFixed(4),
    without.toFixed(4),
    signed(without - tuned),
    predicted === null ? "no unit" : signed(predicted),
    bitsPerByte === null ? "" : `${bitsPerByte.tuned.toFixed(3)} and ${bitsPerByte.without.toFixed(3)}`,
  ];
}
