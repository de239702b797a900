/** Every command line of the drill, in one place. */
import type { Address } from "viem";

/** Windows and clocks as short as the contracts take them. */
const SHORTEST = ["--window-days", "7", "--claim-window-days", "2", "--side-hours", "24"];

export interface Named {
  readonly modelId: number;
  readonly cap: number;
  readonly folder: string;
}

const idOf = ({ modelId }: Named) => ["--model-id", String(modelId)];

export const commandsFor = ({
  backend,
  base,
  gate,
  published,
}: {
  readonly backend: string;
  readonly base: string;
  readonly gate: Address;
  readonly published: string;
}) => ({
  /** With its defaults, but for where the files are. */
  watch: ["challenger", gate, "--models", published, "--base", base],
  /** So often, in minutes. */
  often: ["--every", "0.02"],
  withdraw: ["disputes", "withdraw", gate],
  register: (folder: string) => ["models", "register", folder, "--prover", backend],
  admit: (one: Named) => [
    ...["disputes", "admit", gate, one.folder, ...idOf(one), "--cap", String(one.cap), "--base", base],
  ],
  commit: (one: Named) => ["disputes", "commit-model", gate, one.folder, ...idOf(one), "--base", base],
  showLeaves: (one: Named) => [
    ...["challenger", gate, "--role", "defend", "--model", one.folder, "--base", base],
  ],
  approve: (datanetId: number, { modelId }: Named) => [
    ...["datanet", "approve-model", String(datanetId), String(modelId)],
  ],
  serve: ({ folder, modelId }: Named, port: number, data: string) => [
    ...["models", "serve", folder, "--model", String(modelId), "--base", base],
    ...["--port", String(port), "--data", data, "--prover", backend],
  ],
  /** Behind `serve`: it claims, defends and settles. */
  claiming: (epochSeconds: number) => ["--settle", "--claim", "--epoch-length", String(epochSeconds)],
  ask: ({ modelId }: Named, prompt: string, url: string) => [
    ...["models", "ask", String(modelId), prompt, "--server", url, "--base", base],
  ],
  closeEpoch: ({ modelId }: Named) => ["models", "close-epoch", String(modelId)],
  settle: ({ modelId }: Named, how: readonly string[]) => [
    ...["models", "settle", String(modelId), ...how, "--prover", backend],
  ],
});

export type Commands = ReturnType<typeof commandsFor>;

export const DEPLOY = ["disputes", "deploy", ...SHORTEST];
