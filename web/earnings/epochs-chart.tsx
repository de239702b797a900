import { Chart } from "../charts/chart.tsx";
import { showOpen } from "../words/format.ts";
import type { EpochEarning } from "./account-earnings.ts";

const WEI_AN_OPEN = 10n ** 18n;
/** Enough for a picture; the table of epochs has every wei. */
const PARTS = 1_000_000n;

const toOpen = (wei: bigint) => Number((wei * PARTS) / WEI_AN_OPEN) / Number(PARTS);
const fromOpen = (open: number) => BigInt(Math.round(open * Number(PARTS))) * (WEI_AN_OPEN / PARTS);

/** Rewards over time, an epoch each. @param epochs newest first */
export function EpochsChart({ epochs }: { epochs: readonly EpochEarning[] }) {
  const oldestFirst = [...epochs].reverse();
  const isSettled = ({ state }: EpochEarning) => typeof state !== "string";
  const values = (wanted: boolean) =>
    oldestFirst.map((one) => (isSettled(one) === wanted ? toOpen(one.wei) : null));
  return (
    <Chart
      title="Rewards over time"
      about="What each epoch paid, or would pay if every row scored alike."
      isBars
      xs={oldestFirst.map(({ epoch }) => epoch)}
      series={[
        { label: "Settled, OPEN", values: values(true) },
        { label: "Estimated, OPEN", values: values(false) },
      ]}
      showX={(epoch) => `epoch ${epoch}`}
      showY={(open) => showOpen(fromOpen(open))}
    />
  );
}
