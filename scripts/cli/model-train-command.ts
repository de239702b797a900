import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { hashRecipe, parseRecipe } from "../../attribution/recipe.ts";
import { toHex32 } from "../../client/hex.ts";
import { getLeaf } from "../../client/ledger-reads.ts";
import { openRowStore } from "../../client/row-store.ts";
import { commandError } from "./cli-errors.ts";
import { openReader } from "./context.ts";
import { parseId } from "./parse-id.ts";
import { completeRecipe, RECIPE_PRESETS } from "./recipe-presets.ts";
import { onRun, withExample } from "./run-command.ts";
import { workspacePaths } from "./workspace.ts";

interface TrainOptions {
  datanet: string;
  recipe: string;
  out: string;
  rows: string;
  columns: string;
  draws: string;
  ownerPart: string;
  validatorPart: string;
  predecessor: string;
  withholdRows?: boolean;
}

export function addModelTrainCommand(parent: Command): void {
  const command = parent
    .command("train")
    .description("train a model on a datanet's published version, and write all that is published of it")
    .requiredOption("--datanet <id>", "whose version")
    .requiredOption(
      "--recipe <file>",
      `a recipe's JSON file, or a preset: ${Object.keys(RECIPE_PRESETS).join(", ")}`,
    )
    .requiredOption("--out <folder>", "a new folder for the model")
    .option("--rows <folder>", "the store that holds the rows", workspacePaths.rows)
    .option("--columns <count>", "features of the settlement circuit, where the recipe does not say", "256")
    .option(
      "--draws <count>",
      "draws of an epoch, for the model's life: those of its settlement circuit",
      "4",
    )
    .option("--owner-part <percent>", "of each payment, for the model's owner", "20")
    .option("--validator-part <percent>", "of what rows earn, for their validator", "12.5")
    .option("--predecessor <id>", "the model that this one replaces", "0")
    .option("--withhold-rows", "do not publish the rows with the model");
  withExample(command, "model train --datanet 10 --recipe emails --out spam-model");
  onRun<TrainOptions>(command, async ({ options, output }) => {
    const datanetId = parseId(options.datanet);
    const client = await openReader(options);
    const { datanet } = await getLeaf(client, datanetId);
    if (datanet == null || datanet.version === 0)
      throw commandError("CMD_USAGE", `leaf ${datanetId} is no datanet with a published version`);
    const { version, rowsRoot } = datanet;
    const split = {
      ownerParts: parseParts(options.ownerPart),
      validatorParts: parseParts(options.validatorPart),
    };
    const recipe = parseRecipe(
      completeRecipe(
        await readRecipe(options.recipe),
        { id: datanetId, version, rowsRoot },
        Number(options.columns),
      ),
    );
    // Loaded here: they would make every other command slower.
    const [{ trainModel }, { registerModel }, { publishedModel }, { writeModel }, { readVersionRows }] =
      await Promise.all([
        import("../../attribution/trained-model.ts"),
        import("../../attribution/registration.ts"),
        import("../../attribution/model-files.ts"),
        import("../../attribution/model-directory.ts"),
        import("../../client/published-version.ts"),
      ]);
    const rows = await readVersionRows(await openRowStore(options.rows), rowsRoot);
    const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) =>
      output.progress(`${stage}: ${10 * Math.floor((10 * done) / Math.max(1, total))} %`);
    const trained = trainModel(rows, recipe, { onProgress });
    const draws = Number(options.draws);
    const size = { rows: rows.length, slots: trained.slots.length, features: recipe.columnCount, draws };
    const terms = { split, predecessorId: parseId(options.predecessor) };
    const registration = registerModel(trained, terms, size, { onProgress });
    const model = publishedModel(trained, registration, { publishRows: options.withholdRows !== true });
    await writeModel(options.out, model);
    const staticsHash = toHex32(registration.staticsHash);
    const lines = [
      `a model of ${rows.length} rows in ${trained.slots.length} reward slots, ${recipe.columnCount} columns, ${draws} draws an epoch, in ${options.out}`,
      `it labels ${(100 * trained.accuracy).toFixed(1)} % of its rows as their contributors did`,
      `recipe ${hashRecipe(recipe)}, statics ${staticsHash}`,
    ];
    output.answer(lines, {
      folder: options.out,
      datanetId,
      version,
      rowCount: rows.length,
      slotCount: trained.slots.length,
      columnCount: recipe.columnCount,
      drawCount: draws,
      accuracy: trained.accuracy,
      recipeHash: hashRecipe(recipe),
      staticsHash,
    });
  });
}

async function readRecipe(nameOrPath: string): Promise<object> {
  const preset = RECIPE_PRESETS[nameOrPath];
  if (preset !== undefined) return preset;
  try {
    return JSON.parse(await readFile(nameOrPath, "utf8")) as object;
  } catch (cause) {
    const presets = Object.keys(RECIPE_PRESETS).join(", ");
    throw commandError("CMD_USAGE", `${nameOrPath} is no recipe: neither a JSON file nor one of ${presets}`, {
      cause,
    });
  }
}

/** Percent with decimals as 65,536ths. @throws CMD_USAGE */
function parseParts(text: string): bigint {
  const percent = Number(text);
  if (!/^\d{1,2}(\.\d{1,6})?$/.test(text))
    throw commandError("CMD_USAGE", `"${text}" is no percentage below 100`);
  return BigInt(Math.round((percent * 65_536) / 100));
}
