import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { FROM_BLOCK_OPTION } from "../../cli/common-options.ts";
import { resolveEndpoints } from "../../cli/context.ts";
import { withOptions } from "../../cli/options.ts";
import { storedPreconfirmationPaths } from "../../cli/preconfirmation-store.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

export function addContradictionCommand(program: Command): void {
  const command = withOptions(
    program
      .command("contradiction [preconfirmations...]")
      .description(
        "hold signed preconfirmations against L1 and print the two signed facts where they contradict each other; status 0 consistent, 3 not posted yet, 4 contradicted",
      ),
    {
      "--from-feed <urls...>": {
        about: "check what these sequencers or followers have acknowledged",
        fallback: [],
      },
      ...FROM_BLOCK_OPTION,
    },
  );
  withExample(
    command,
    "contradiction preconfirmation.json --rpc https://… --rollup 0x…",
    "contradiction",
    "contradiction --from-feed http://127.0.0.1:8547",
  );
  onRun(command, async ({ options, args, output }) => {
    const [{ checkedLines, checkedView, EXIT_STATUS, findContradictions }, { openBlobs }] = await Promise.all(
      [import("./contradiction.ts"), import("../../cli/blob-places.ts")],
    );
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const isNamed = args.length > 0 || options.fromFeed.length > 0;
    const paths = isNamed ? args : await storedPreconfirmationPaths(rollupAddress);
    if (paths.length === 0 && options.fromFeed.length === 0)
      throw commandError(
        "CMD_FILE_UNREADABLE",
        "no preconfirmation is named, and none is stored for this rollup",
        { data: { reason: "no-preconfirmation" } },
      );
    const { fromBlock, fromFeed: feedUrls } = options;
    const result = await findContradictions({
      ...{ rpcUrl, rollupAddress, paths, feedUrls, fromBlock },
      blobs: await openBlobs(options),
    });
    const { blockNumber, checked, context, outcome } = result;
    const lines = checked.flatMap((one) => checkedLines(one, result));
    output.answer(
      [...lines, `${checked.length} preconfirmations held against L1's block ${blockNumber}: ${outcome}`],
      {
        outcome,
        blockNumber,
        sequencerAddress: context.sequencerAddress,
        preconfirmations: checked.map(checkedView),
      },
    );
    process.exitCode = EXIT_STATUS[outcome];
  });
}
