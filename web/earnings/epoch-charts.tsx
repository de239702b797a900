/**
 * Charts of the earnings page: an account's rewards by epoch, for each model. Wei become numbers of OPEN with six decimals for
 * the chart alone.
 */
import { Chart, isChart } from "../charts/chart.tsx";
import { showOpen } from "../words/format.ts";
import { leafNames } from "../words/leaf-names.ts";
import type { EpochEarning, RewardEarnings } from "./account-earnings.ts";

const WEI_AN_OPEN = 10n ** 18n;
/** Enough for a picture; the table of epochs has every wei. */
const PARTS = 1_000_000n;

const toOpen = (wei: bigint) => Number((wei * PARTS) / WEI_AN_OPEN) / Number(PARTS);
const fromOpen = (open: number) => BigInt(Math.round(open * Number(PARTS))) * (WEI_AN_OPEN / PARTS);

/** Rewards over time: of each model with enough epochs, all roles together. */
export function EpochCharts({ rewards }: { rewards: readonly RewardEarnings[] }) {
  const modelIds = [...new Set(rewards.map(({ reward }) => reward.modelId))];
  return (
    <>
      {modelIds.map((modelId) => {
        const own = rewards.filter(({ reward }) => reward.modelId === modelId);
        return <EpochChart key={modelId} modelId={modelId} epochs={own.flatMap(({ epochs }) => epochs)} />;
      })}
    </>
  );
}

function EpochChart({ epochs, modelId }: { epochs: readonly EpochEarning[]; modelId: number }) {
  const numbers = [...new Set(epochs.map(({ epoch }) => epoch))].sort((a, b) => a - b);
  const values = (wantsSettled: boolean) =>
    numbers.map((number) => {
      const ofEpoch = epochs.filter(
        ({ epoch, state }) => epoch === number && (typeof state !== "string") === wantsSettled,
      );
      return ofEpoch.length === 0 ? null : toOpen(ofEpoch.reduce((sum, { wei }) => sum + wei, 0n));
    });
  const series = [
    { label: "Settled, OPEN", values: values(true) },
    { label: "Estimated, OPEN", values: values(false) },
  ];
  if (!isChart(series)) return null;
  return (
    <section class="card">
      <Chart
        title={`Rewards over time, of ${leafNames.value.get(modelId)?.name ?? `model ${modelId}`}`}
        about="What each epoch paid the account in all its roles. Open epochs: if every row scored the same."
        isBars
        xs={numbers}
        series={series}
        showX={(epoch) => `epoch ${epoch}`}
        showY={(open) => showOpen(fromOpen(open))}
      />
    </section>
  );
}
