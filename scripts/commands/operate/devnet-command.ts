/** `openledger devnet`: what a devnet alone allows. `pass-day` moves the clock of its Ethereum node on by a day. */
import { passTime } from "@openledger/client/actions/l1/pass-time";
import type { Command } from "commander";
import { resolveEndpoints } from "../../cli/context.ts";
import { command, withExample } from "../../cli/run-command.ts";

/** A day, and a minute for what is signed while the command runs. */
const DAY_SECONDS = 86_400 + 60;
const REQUEST_TIMEOUT_MS = 10_000;

export function addDevnetCommands(program: Command): void {
  const devnet = program.command("devnet").description("what a devnet alone allows");
  withExample(devnet, "devnet pass-day");
  addPassDay(devnet);
}

const addPassDay = command({
  usage: "pass-day",
  about: "let a day pass on the devnet, for everybody: for what has to wait, as the approval of a model has",
  examples: ["devnet pass-day"],
  run: async ({ options, output }) => {
    const { rpcUrl, sequencerUrl } = resolveEndpoints(options);
    const timestamp = await passTime({
      rpcUrl,
      seconds: DAY_SECONDS,
      sequencer: sequencerUrl === null ? null : { sequencerUrl, requestTimeoutMs: REQUEST_TIMEOUT_MS },
      onMoved: () => output.progress("Ethereum's clock is moved, waiting for the sequencer's"),
    });
    output.answer([`a day has passed: it is ${new Date(1_000 * timestamp).toISOString()} on the devnet`], {
      timestamp,
    });
  },
});
