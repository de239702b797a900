import { readFile, writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { spanLines, spanView } from "../spans/span-lines.ts";

export function addVerifySpansCommand(parent: Command): void {
  const command = parent
    .command("spans <evidence>")
    .description("check the parts that a host has found in a version, or that an index is out of order")
    .requiredOption("--root <hex>", "of the index, from whom you trust; `datanet index` makes it", parseRoot);
  withExample(command, "verify spans evidence.json --root 5f0c…");
  onRun<{ root: string }>(command, async ({ options, args, output }) => {
    const [{ checkCitations }, { checkDisorder }, { evidenceFromJson, orderFromJson }] = await Promise.all([
      import("@openledger/models/spans/check-citations"),
      import("@openledger/models/spans/order-evidence"),
      import("@openledger/models/spans/evidence"),
    ]);
    const { answer, disorder, evidence } = await readEvidence(args[0]!);
    if (disorder !== undefined) {
      const reason = checkDisorder(options.root, orderFromJson(disorder));
      output.answer([`the index of root ${options.root} is false: ${reason}`], {
        root: options.root,
        disorder: reason,
      });
      return;
    }
    const text = new TextEncoder().encode(String(answer));
    const checked = checkCitations(options.root, text, evidenceFromJson(evidence));
    const lines = [...spanLines(text, checked), `all of it follows from the root ${options.root}`];
    output.answer(lines, { root: options.root, ...spanView(text, checked) });
  });
}

export function addVerifyIndexCommand(parent: Command): void {
  const command = parent
    .command("index <file>")
    .description("check that an index is sorted and its rows lie one behind the other, as its counts assume")
    .option(
      "--write <file>",
      "where evidence goes if it is not: for anybody's verify spans FILE --root ROOT",
    );
  withExample(command, "verify index mails.spans", "verify index mails.spans --write disorder.json");
  onRun<{ write?: string }>(command, async ({ options, args, output }) => {
    const [{ readIndexFile }, { indexOf }, { checkDisorder, findDisorder }, { orderToJson }] =
      await Promise.all([
        import("@openledger/models/spans/index-file"),
        import("@openledger/models/spans/span-index"),
        import("@openledger/models/spans/order-evidence"),
        import("@openledger/models/spans/evidence"),
      ]);
    const stored = await readIndexFile(args[0]!);
    const index = await indexOf(stored.parts, (share) =>
      output.progress(`hashing: ${Math.floor(share * 100)} %`),
    );
    const hasRoot = index.root === stored.root;
    output.progress("comparing neighbours");
    const evidence = findDisorder(index);
    const disorder = evidence === null ? null : checkDisorder(index.root, evidence);
    if (evidence !== null && options.write !== undefined)
      await writeFile(options.write, `${JSON.stringify({ disorder: orderToJson(evidence) })}\n`);
    const isSound = hasRoot && disorder === null;
    const lines = [
      ...(hasRoot ? [] : [`its text, array and rows have another root than it says: ${index.root}`]),
      ...(disorder === null ? [] : [`it is false: ${disorder}`]),
      ...(isSound ? [`the index of root ${index.root} is sorted: what it counts is right for its text`] : []),
    ];
    output.answer(lines, {
      root: stored.root,
      hashedRoot: index.root,
      isSound,
      disorder,
      written: options.write ?? null,
    });
    if (!isSound) process.exitCode = 1;
  });
}

interface EvidenceFile {
  answer?: unknown;
  evidence?: unknown;
  disorder?: unknown;
}

async function readEvidence(path: string): Promise<EvidenceFile> {
  try {
    return (JSON.parse(await readFile(path, "utf8")) ?? {}) as EvidenceFile;
  } catch (cause) {
    throw commandError("CMD_USAGE", `${path} is no file of JSON`, { cause });
  }
}

function parseRoot(text: string): string {
  const digits = text.replace(/^0x/, "");
  if (!/^[0-9a-f]{64}$/.test(digits)) throw new InvalidArgumentError("not a root of 64 digits");
  return digits;
}
