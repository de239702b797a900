/** What happens to the machine of the two that leads. The standby takes over, and nobody believes the old one any more. */
import type { Machine } from "../world/machine.ts";
import type { MachinePair } from "../world/machine-pair.ts";

const PROBES = 30;

export interface MachineFault {
  readonly name: string;
  readonly description: string;
  /** @returns questions for promises that are in its hand when it hangs */
  inject(pair: MachinePair): Promise<readonly Promise<boolean>[]>;
  /** The machine comes back, to be asked; absent where it does not. */
  wake?(old: Machine): void;
}

export const MACHINE_FAULTS: readonly MachineFault[] = [
  {
    name: "kill",
    description: "kill -9 of everything on the leader's machine",
    async inject({ leader }) {
      await leader.kill();
      return [];
    },
  },
  {
    name: "pause",
    description: "its processes hang, and wake up after the handover",
    async inject({ leader, leaseSeconds, world }) {
      for (const process of [leader.sequencer, leader.bridge]) process.pause();
      const ask = () => world.traffic.probe(leader.url, 1_000_000, 10 * leaseSeconds * 1_000);
      return Array.from({ length: PROBES }, ask);
    },
    wake({ bridge, sequencer }) {
      for (const process of [sequencer, bridge]) process.resume();
    },
  },
  {
    name: "partition",
    description: "it cannot reach Ethereum, and can again after the handover",
    async inject({ leader }) {
      leader.proxy.fault = "hangs";
      return [];
    },
    wake({ proxy }) {
      proxy.fault = null;
    },
  },
  {
    name: "planned",
    description: "it is stopped, and its lease is released",
    async inject(pair) {
      await pair.release();
      return [];
    },
  },
];
