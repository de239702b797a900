/** Asks a server of language models by OpenAI's own client, and prints the words as they come. */
import OpenAI from "openai";

const baseURL = `${process.env.MODEL_SERVER_URL ?? "http://127.0.0.1:8798"}/v1`;
// The server asks for no key; the library wants one.
const client = new OpenAI({ baseURL, apiKey: "any" });

const names = (await client.models.list()).data.map(({ id }) => id);
console.log(`Models: ${names.join(", ")}`);
const [, , prompt = "The state of the union", model = names[0]!] = process.argv;

const stream = await client.completions.create({
  model,
  prompt,
  max_tokens: 48,
  temperature: 0,
  stream: true,
});
let last: object = {};
process.stdout.write(`${model}: ${prompt}`);
for await (const part of stream) {
  process.stdout.write(part.choices[0]?.text ?? "");
  last = part;
}
// A field of this server's own: with base, prompt and seed, anybody can compute the same answer again.
const { openledger } = last as { openledger?: { seed: string } };
console.log(
  `\nSeed ${openledger?.seed ?? "unknown"}. The same prompt and seed give the same words on every machine.`,
);
