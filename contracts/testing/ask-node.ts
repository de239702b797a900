/** JSON-RPC to a node on this machine by node:http, for a quarter of the CPU that a request by fetch takes. */
import { Agent, request } from "node:http";
import { RpcRequestError } from "viem";

const agent = new Agent({ keepAlive: true });

/** @throws RpcRequestError where the node answers with an error, and any other if there is no answer */
export async function askNode(url: string, method: string, params: unknown = []): Promise<unknown> {
  const body = { method, params };
  const { error, result } = JSON.parse(await post(url, JSON.stringify({ jsonrpc: "2.0", id: 1, ...body })));
  if (error !== undefined) throw new RpcRequestError({ body, error, url });
  return result;
}

/** Posts JSON. @returns the body of the answer, whatever its status */
export function post(url: string, body: string): Promise<string> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const question = request(url, { agent, method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.once("end", () => resolve(text));
      response.once("error", reject);
    });
    question.once("error", reject);
    question.end(body);
  });
}
