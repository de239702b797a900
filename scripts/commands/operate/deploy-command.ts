/**
 * `openledger deploy`: prints plan and costs (gas and ether) of a rollup's deployment, asks, and sends it. The plan is in
 * deploy/deploy.ts.
 */
import { createInterface } from "node:readline/promises";
import { formatEther } from "viem";
import { DRY_RUN_OPTION } from "../../cli/common-options.ts";
import { operatorError } from "../../cli/operator-errors.ts";
import { command } from "../../cli/run-command.ts";

export const addDeployCommand = command({
  usage: "deploy",
  about:
    "deploy a rollup to an Ethereum node: prints steps, costs and permanent choices, and sends only once you confirm",
  options: {
    "--config <file>": {
      about: "deployment configuration, as JSON (docs/how-to/operate.md)",
      isRequired: true,
    },
    ...DRY_RUN_OPTION,
    "--yes": "send without asking; required without a terminal",
  },
  examples: ["deploy --config deploy.json --dry-run", "deploy --config deploy.json"],
  run: async ({ options, output }) => {
    const { carryOut, describeDeployment, prepareDeployment } = await import("./deploy/deploy.ts");
    const tell = (text: string) => process.stderr.write(`${text}\n`);
    // snarkjs prints its verdicts by itself; stdout is the answer's.
    console.log = tell;
    const prepared = await prepareDeployment(options.config, tell);
    const { config, cost, plan, warnings } = prepared;
    const lines = describeDeployment(prepared);
    const facts = {
      chainId: config.l1.chainId,
      deployer: plan.deployer.address,
      tokenAddress: plan.tokenAddress,
      rollupAddress: plan.rollupAddress,
      steps: plan.steps.map(({ address, gas, isDone, name, nonce }) => ({
        name,
        address,
        nonce,
        gas,
        isDone,
      })),
      cost,
      warnings,
    };
    const isInteractive = options.yes !== true && process.stdin.isTTY === true && !output.isJson;
    if (options.dryRun === true || (options.yes !== true && !isInteractive)) {
      output.answer([...lines, "", "nothing was sent; --yes sends it"], { ...facts, sent: false });
      return;
    }
    for (const line of lines) tell(line);
    if (isInteractive) await confirm(config.l1.chainId);
    const result = await carryOut(prepared, tell);
    output.answer(
      [
        `deployed: token ${plan.tokenAddress}, rollup ${plan.rollupAddress}`,
        `${result.gasUsed} gas, ${formatEther(result.costWei)} ETH`,
        `record: ${result.recordPath}`,
        `sources for explorers: ${result.verificationFolder}`,
        `next: openledger operator init --deployment ${result.recordPath} --out FOLDER`,
      ],
      { ...facts, ...result, sent: true },
    );
  },
});

/** @throws CMD_DEPLOY_REFUSED */
async function confirm(chainId: number): Promise<void> {
  const words = `deploy to ${chainId}`;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await terminal.question(`\nType "${words}" to send it: `);
  terminal.close();
  if (typed.trim() !== words)
    throw operatorError("CMD_DEPLOY_REFUSED", `"${typed}" is not "${words}"`, {
      data: { reason: "not-confirmed", typed },
    });
}
