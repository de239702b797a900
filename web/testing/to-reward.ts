/**
 * Second half of the road, from a published version to money: somebody trains a model on it, serves it, asks it and pays; the
 * Datanet's owner, who contributed the rows, approves the model, claims the reward and withdraws it.
 */
import type { Download, Locator, Page } from "playwright-core";
import { buttonOf, numberIn, type Walk, type Walker } from "./walk.ts";

export interface RewardSteps {
  /** Name of the Datanet. */
  readonly datanet: string;
  /** Name of the model that is made. */
  readonly model: string;
  /** True for a model that writes: its base is chosen. */
  readonly doesWrite: boolean;
  /** Rounds of a model that writes, in place of the form's. */
  readonly rounds?: string;
  /** Fills in a question. */
  readonly ask: (builder: Walker) => Promise<void>;
  /** OPEN to withdraw, another amount on each road. */
  readonly withdraw: string;
}

export interface Rewarded {
  readonly modelId: number;
  /** Text of the answer's card. */
  readonly answer: string;
  /** Seconds from the payment to the contributor's page naming the row. */
  readonly newsSeconds: number;
  /** Amount that the contributor's page shows as claimed. */
  readonly claimedText: string;
  /** The contributor's file of used rows. */
  readonly csv: string;
}

type TrainingSteps = Pick<RewardSteps, "datanet" | "doesWrite" | "model" | "rounds">;

/** Trains a model on a Datanet's latest version. */
export async function walkToTrained(
  walk: Walk,
  builder: Walker,
  { datanet, doesWrite, model, rounds }: TrainingSteps,
): Promise<void> {
  await walk.step("train", builder, async () => {
    await walk.menu(builder, "Factory");
    await walk.click(builder.main.getByRole("link", { name: /Train on a Datanet/ }));
    // Rows of an earlier version are listed below by the same name.
    await walk.click(builder.main.locator("a.choice").filter({ hasText: datanet }));
    await walk.click(buttonOf(builder, /^Use version/));
    if (doesWrite) await walk.click(builder.main.getByRole("link", { name: /openledger-base/ }));
    await walk.fill(builder.main.getByLabel("Name"), model);
    if (rounds !== undefined) await walk.fill(builder.main.getByLabel("Rounds"), rounds);
    await walk.click(buttonOf(builder, "Start training"));
    await builder.main.getByText("Your model is trained").waitFor();
  });
}

/** Trains a model on a Datanet's latest version and registers it. @returns its number */
export async function walkToModel(walk: Walk, builder: Walker, training: TrainingSteps): Promise<number> {
  let modelId = 0;
  await walkToTrained(walk, builder, training);
  await walk.step("register", builder, async () => {
    await walk.click(builder.main.getByRole("link", { name: "Register the model" }));
    await walk.click(buttonOf(builder, "Register with your wallet"));
    const link = builder.main.getByRole("heading", { name: /^Registered as model/ }).getByRole("link");
    await link.waitFor();
    // Its text is the number at first, and the model's name once that is known.
    modelId = Number(await numberIn(link));
  });
  return modelId;
}

/** Walks from a version to a withdrawn reward. */
export async function walkToReward(
  walk: Walk,
  { builder, owner }: { readonly owner: Walker; readonly builder: Walker },
  road: RewardSteps,
): Promise<Rewarded> {
  const { ask, datanet, model, withdraw } = road;
  const modelId = await walkToModel(walk, builder, road);
  await walk.step("approve", owner, async () => {
    const isThere = await owner.main.getByRole("heading", { name: datanet }).isVisible();
    if (!isThere) {
      await walk.menu(owner, "Datanets");
      await walk.click(owner.main.getByRole("link", { name: datanet }));
    }
    await walk.tab(owner, "Models");
    await walk.click(buttonOf(owner, /^Let .+ pass$/));
    await owner.main.getByText("A model trained on it can be approved now.").waitFor();
    await walk.click(buttonOf(owner, `Approve model ${modelId}`));
    const preview = owner.page.getByRole("region", { name: "What you approve" });
    await preview.getByText(`Nobody has recomputed model ${modelId} yet.`).waitFor();
    await walk.click(preview.getByLabel("Approve without a recomputation"));
    await preview.getByText("was not recomputed").waitFor();
    await walk.click(buttonOf(owner, "Sign the approval"));
    await owner.main.getByText("approved, takes payments").waitFor();
  });
  await walk.step("serve", builder, async () => {
    await walk.click(buttonOf(builder, "Serve here"));
    await builder.main.getByRole("region", { name: "Serve" }).getByText("served here").waitFor();
  });
  const answer = builder.main.getByRole("region", { name: "Answer" });
  await walk.step("ask", builder, async () => {
    const serving = builder.main.getByRole("region", { name: "Serve" });
    await walk.click(serving.getByRole("link", { name: /^ask / }));
    await ask(builder);
    await walk.click(buttonOf(builder, "Ask"));
    await answer.getByText("checked here").waitFor();
  });
  const answerText = (await answer.textContent())!;
  await walk.menu(owner, "Earnings");
  const rows = owner.page.getByRole("region", { name: "Rows at work" });
  const ofModel = groupOf(rows, modelId);
  await rows.waitFor();
  const paidAtMs = performance.now();
  await walk.step("pay", builder, async () => {
    await walk.click(buttonOf(builder, /^Pay [\d.]+ OPEN$/));
    await builder.main.getByText("paid", { exact: true }).waitFor();
  });
  let newsSeconds = Number.POSITIVE_INFINITY;
  await walk.step("used", owner, async () => {
    await ofModel.getByText("estimated").waitFor();
    newsSeconds = (performance.now() - paidAtMs) / 1_000;
  });
  let csv = "";
  await walk.step("prove", owner, async () => {
    await walk.menu(builder, "Factory");
    await walk.click(builder.main.getByRole("link", { name: model }));
    await walk.click(builder.main.getByRole("link", { name: "Register", exact: true }));
    await walk.click(buttonOf(builder, "Pay it out"));
    await ofModel.getByText("proven", { exact: true }).waitFor();
    const [download] = await Promise.all([
      owner.page.waitForEvent("download"),
      walk.click(rows.getByRole("button", { name: "Download CSV" })),
    ]);
    csv = (await bytesOf(download)).toString();
  });
  let claimedText = "";
  await walk.step("collect", owner, async () => {
    await walk.click(buttonOf(owner, "Claim"));
    await owner.main.getByLabel("To claim", { exact: true }).getByText("nothing to claim").waitFor();
    const claimed = owner.main.getByLabel("Claimed", { exact: true }).locator(".amount");
    claimedText = (await claimed.textContent())!;
  });
  await walk.step("take-out", owner, async () => {
    await walk.click(owner.main.getByRole("link", { name: "take it out" }));
    await walk.fill(owner.main.getByLabel("Amount"), withdraw);
    await walk.click(buttonOf(owner, "Withdraw"));
    const way = owner.page.getByRole("article", { name: `Withdrawal of ${withdraw} OPEN` });
    await walk.click(way.getByRole("button", { name: "Finalize" }));
    await way.getByText("in your wallet").waitFor();
  });
  return { modelId, answer: answerText, newsSeconds, claimedText, csv };
}

/** Uses of rows by one model's answers. */
const groupOf = (rows: Locator, modelId: number): Locator =>
  rows.locator(".stack-s").filter({ has: rows.page().locator(`a[href$="/${modelId}"]`) });

async function bytesOf(download: Download): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await download.createReadStream()) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Collects the next downloads of a page, by their names. */
export function downloadsOf(page: Page, count: number): Promise<[string, Buffer][]> {
  const files: [string, Buffer][] = [];
  return new Promise((settle, fail) => {
    const onDownload = async (download: Download) => {
      files.push([download.suggestedFilename(), await bytesOf(download)]);
      if (files.length < count) return;
      page.off("download", take);
      settle(files);
    };
    const take = (download: Download) => void onDownload(download).catch(fail);
    page.on("download", take);
    page.once("close", () => fail(new Error("the page is closed")));
  });
}
