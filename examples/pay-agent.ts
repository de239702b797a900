/** An agent that asks two models through the gateway on this machine, and prints whom it paid for each answer. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";

const baseURL = process.env.GATEWAY_URL ?? "http://127.0.0.1:8777/v1";
const apiKey = process.env.GATEWAY_TOKEN ?? "";
const gateway = createOpenAICompatible({ name: "openledger", baseURL, apiKey });

interface ListedModel {
  readonly id: string;
  readonly openledger: {
    readonly priceOpen: string;
    readonly isPayable: boolean;
    readonly isWithinPrice: boolean;
  };
}
/** Field of an answer that says what was paid, and whom. */
interface Paid {
  readonly priceOpen: string;
  readonly receipt: string;
  readonly contributors: readonly { readonly contributorId: number; readonly share: number }[];
}

const response = await fetch(`${baseURL}/models`, { headers: { authorization: `Bearer ${apiKey}` } });
if (!response.ok) throw new Error(`no models: ${await response.text()}`);
const { data } = (await response.json()) as { data: ListedModel[] };
const models = data.filter(({ openledger: { isPayable, isWithinPrice } }) => isPayable && isWithinPrice);
const [, , prompt = "Subject: you have won a free cruise"] = process.argv;

for (const { id, openledger } of models.slice(0, 2)) {
  console.log(`${id}, ${openledger.priceOpen} OPEN an answer`);
  try {
    const answer = await generateText({ model: gateway(id), prompt, maxRetries: 0 });
    const paid = (answer.response.body as { openledger: Paid }).openledger;
    console.log(`  ${answer.text.trim()}`);
    console.log(`  paid ${paid.priceOpen} OPEN, receipt ${paid.receipt}`);
    for (const { contributorId, share } of paid.contributors)
      console.log(`  ${(100 * share).toFixed(1)} % to account ${contributorId} if this payment is drawn`);
  } catch (error) {
    console.log(`  not paid: ${(error as Error).message}`);
  }
}
