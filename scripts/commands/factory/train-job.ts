/** `openledger factory train`: has a factory fetch a Datanet's rows, prints the estimate (seconds, MB, OPEN), and starts a job. */

import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { counted } from "@openledger/foundation/counted";
import { type FactoryEstimate, type FactoryForm, formSchema } from "@openledger/models/factory/factory-api";
import { FactoryClient } from "@openledger/models/factory/factory-client";
import { measuredWords } from "@openledger/models/factory/job-words";
import { factoryError } from "@openledger/models/model-errors";
import { OWN_BASE } from "@openledger/models/tuning/base/base-address";
import { commandError } from "../../cli/cli-errors.ts";
import { openReader } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { unsignedOf } from "../datanet/host-options.ts";
import { tellingLines } from "../models/training/telling-lines.ts";
import type { TrainJobOptions } from "./factory-options.ts";
import { openFactory } from "./open-factory.ts";

/** Trains a job; without rows it lists the bases to choose from. */
export async function trainJob(context: CommandContext<TrainJobOptions>): Promise<void> {
  const { options, output } = context;
  if (options.rows !== undefined)
    throw factoryError("MOD_FACTORY_UPLOADS_GONE", "a factory takes rows of Datanets alone");
  if (options.datanet === undefined) return showBases(context);
  const { factory } = await openFactory(options);
  output.progress("fetching rows");
  const dataset = await addRows(factory, options);
  const isWriter = dataset.rowKind === "passage";
  if (options.base !== undefined && !isWriter)
    throw commandError("CMD_USAGE", `rows of kind ${dataset.rowKind} take no --base: they are sorted`);
  const baseId = isWriter ? await baseOf(factory, options.base ?? OWN_BASE) : null;
  const view = await factory.form(baseId, dataset.id);
  const request = {
    baseId,
    datasetId: dataset.id,
    form: countedForm(changedForm(view.form, options.set), options.field),
  };
  output.progress("measuring a few steps");
  const estimate = await factory.estimate(request);
  const lines = describeEstimate(estimate, view.whyNot);
  if (options.estimate === true) {
    output.answer(lines, { datasetId: dataset.id, baseId, estimate });
    return;
  }
  const job = await factory.begin(request);
  output.answer([...lines, `job ${job.id} has begun: openledger factory jobs ${job.id}`], {
    jobId: job.id,
    datasetId: dataset.id,
    baseId,
    estimate,
  });
}

async function baseOf(factory: FactoryClient, position: string): Promise<string> {
  const known = (await factory.bases()).find(({ id }) => id === position);
  return (known ?? (await factory.addBase(position))).id;
}

async function showBases({ options, output }: CommandContext<TrainJobOptions>): Promise<void> {
  const bases = await new FactoryClient(await openReader(options), options.factory).bases();
  const rows = bases.map(({ id, maxPositions, name, parameterCount, source }) => [
    id,
    name,
    `${(parameterCount / 1e6).toFixed(1)} M`,
    `${maxPositions} tokens`,
    source,
  ]);
  output.answer(renderTable([["id", "name", "parameters", "context", "from"], ...rows]), { bases });
}

async function addRows(factory: FactoryClient, options: TrainJobOptions) {
  const { datanet, host, versionNumber } = options;
  const hostUrl = host ?? (await factory.info()).datanetHosts[0];
  if (hostUrl === undefined) throw commandError("CMD_USAGE", "name the Datanet's host with --host");
  const number = versionNumber === undefined ? null : parseId(versionNumber);
  const [datanetId, ...others] = datanet!.split(",").map((id) => parseId(id));
  if (others.length > 0 && number !== null)
    throw commandError(
      "CMD_USAGE",
      "--version-number is of one Datanet; several are used at their present versions",
    );
  const further = others.map((id) => ({ hostUrl, datanetId: id, version: null }));
  const location = { hostUrl, datanetId: datanetId!, version: number };
  return factory.addDataset({ kind: "datanet", ...location, further, ...unsignedOf(options) });
}

/** @throws CMD_USAGE for a field or a value that the form does not have */
function changedForm(form: FactoryForm, changes: readonly string[]): FactoryForm {
  const changed: Record<string, unknown> = { ...form };
  for (const change of changes) {
    const [field, ...rest] = change.split("=");
    const text = rest.join("=");
    const before = changed[field!];
    if (before === undefined || field === "use")
      throw commandError("CMD_USAGE", `the form has no ${field}; it has ${Object.keys(form).join(", ")}`);
    changed[field!] =
      typeof before === "number" || before === null
        ? Number(text)
        : typeof before === "boolean"
          ? text === "true"
          : Array.isArray(before)
            ? text.split(",")
            : text;
  }
  const parsed = formSchema.safeParse(changed);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw commandError("CMD_USAGE", `--set ${issue.path.join(".")}: ${issue.message}`);
}

/** @throws CMD_USAGE for a language model's form */
function countedForm(form: FactoryForm, countedFields: string[] | undefined): FactoryForm {
  if (countedFields === undefined) return form;
  if (form.use === "write")
    throw commandError("CMD_USAGE", "--field is for tables: these rows are for a model that writes");
  return { ...form, countedFields };
}

function describeEstimate(estimate: FactoryEstimate, whyNot: string | null): string[] {
  const { fields, memoryBytes, registerFeeWei, seconds, steps, telling, trainedRowCount } = estimate;
  const fee =
    registerFeeWei === null
      ? "it cannot be registered"
      : `registering costs ${formatOpen(BigInt(registerFeeWei))} OPEN`;
  return [
    `${counted(steps, "step")} over ${counted(trainedRowCount, "row")}: about ${Math.ceil(seconds.total)} s`,
    measuredWords(estimate, (time) => `${Math.ceil(time)} s`),
    `${Math.ceil(memoryBytes / 2 ** 20)} MB of memory; ${fee}${whyNot === null ? "" : `: ${whyNot}`}`,
    ...tellingLines(
      telling,
      fields.flatMap(({ name, part }) => (part === "counts" ? [name] : [])),
    ),
  ];
}
