/** `openledger freeze`: freezes a rollup whose queue has not moved for 7 days, after which there are only exits. */
import { resolveAccount, resolveEndpoints, spendingCapOf } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { command } from "../../cli/run-command.ts";

export const addFreezeCommand = command({
  usage: "freeze",
  about:
    "freeze a rollup for good, once its queue has not moved for 7 days; anyone can. Prints the date where it is too early",
  examples: ["freeze --account bob", "freeze --rpc https://… --rollup 0x… --private-key-file key"],
  run: async ({ options, output }) => {
    // Loaded here: prover and bridge would make every other command a second slower.
    const { freezeRollup } = await import("@openledger/verifier/exits/freeze");
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const { outlook, transactionHash, gasUsed, gasCostWei } = await freezeRollup({
      rpcUrl,
      rollupAddress,
      account: () => resolveAccount(options).l1,
      spendingCap: spendingCapOf(options),
    });
    const lines =
      transactionHash === null
        ? [`the rollup ${rollupAddress} was frozen before`]
        : [
            `the rollup ${rollupAddress} is frozen, for good: queue entry ${outlook.oldest!.queueIndex} waited for too long`,
            `L1 transaction ${transactionHash}, ${describeGas({ gasUsed, gasCostWei })}`,
          ];
    lines.push("take out what is yours with: openledger exit");
    output.answer(lines, {
      rollupAddress,
      wasFrozen: outlook.isFrozen,
      oldest: outlook.oldest,
      transactionHash,
      gasUsed,
      gasCostWei,
    });
  },
});
