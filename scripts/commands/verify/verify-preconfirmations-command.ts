/**
 * `openledger verify preconfirmations`: compares the sequencer's signed promises with L1, and prints the evidence of an
 * equivocation.
 */
import type { PreconfirmationEvidence } from "@openledger/verifier/evidence/preconfirmation-evidence";
import { commandError } from "../../cli/cli-errors.ts";
import { FROM_BLOCK_OPTION } from "../../cli/common-options.ts";
import { resolveEndpoints } from "../../cli/context.ts";
import { oldHeadLines } from "../../cli/old-head.ts";
import {
  preconfirmationsFolder,
  readPreconfirmationFile,
  storedPreconfirmationPaths,
} from "../../cli/preconfirmation-store.ts";
import { command } from "../../cli/run-command.ts";

export const addVerifyPreconfirmationsCommand = command({
  usage: "preconfirmations [files...]",
  about:
    "compare signed preconfirmations with L1, by default those stored on this machine, and print the two signed messages of an equivocation; exit status 0: consistent, 3: not posted yet, 4: contradicted",
  options: {
    "--from-feed <urls...>": {
      about: "check what the sequencers or full nodes at these URLs acknowledged",
      fallback: [],
    },
    ...FROM_BLOCK_OPTION,
  },
  examples: [
    "verify preconfirmations",
    "verify preconfirmations preconfirmation.json --rpc https://… --rollup 0x…",
    "verify preconfirmations --from-feed http://127.0.0.1:8547",
  ],
  run: async ({ options, args, output }) => {
    const [{ checkedLines, checkedView, EXIT_STATUS }, { checkAgainstL1 }, { openBlobs }] = await Promise.all(
      [
        import("@openledger/verifier/evidence/check-report"),
        import("@openledger/sequencer/full-node/check-preconfirmations"),
        import("../../cli/blob-providers.ts"),
      ],
    );
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const warnings = await oldHeadLines(rpcUrl);
    const isNamed = args.length > 0 || options.fromFeed.length > 0;
    const paths = isNamed ? args : await storedPreconfirmationPaths(rollupAddress);
    if (paths.length === 0 && options.fromFeed.length === 0)
      throw commandError(
        "CMD_FILE_UNREADABLE",
        `no preconfirmation is named, and none is in ${preconfirmationsFolder(rollupAddress)}`,
        { data: { reason: "no-preconfirmation" } },
      );
    const { fromBlock, fromFeed: feedUrls } = options;
    const evidences = await Promise.all(paths.map(readEvidence));
    const result = await checkAgainstL1({
      rpcUrl,
      rollupAddress,
      evidences,
      feedUrls,
      fromBlock,
      blobs: await openBlobs(options),
    });
    const { blockNumber, checked, context, outcome } = result;
    const lines = checked.flatMap((one) => checkedLines(one, result));
    output.answer(
      [
        ...lines,
        ...warnings,
        `${checked.length} preconfirmations compared with L1's block ${blockNumber}: ${outcome}`,
      ],
      {
        outcome,
        blockNumber,
        isHeadOld: warnings.length > 0,
        sequencerAddress: context.sequencerAddress,
        files: paths,
        preconfirmations: checked.map(checkedView),
      },
    );
    process.exitCode = EXIT_STATUS[outcome];
  },
});

/** @throws CMD_FILE_UNREADABLE, BRG_PRECONFIRMATION_INVALID */
export async function readEvidence(path: string): Promise<PreconfirmationEvidence> {
  let text: string;
  try {
    text = await readPreconfirmationFile(path);
  } catch (cause) {
    throw commandError("CMD_FILE_UNREADABLE", `${path} cannot be read`, {
      data: { reason: "preconfirmation-file-unreadable", path },
      cause,
    });
  }
  const { parseEvidence } = await import("@openledger/verifier/evidence/preconfirmation-evidence");
  return parseEvidence(text, path);
}
