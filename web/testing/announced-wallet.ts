import type { BrowserContext } from "playwright-core";
import { createWalletClient, type HDAccount, http } from "viem";
import { foundry } from "viem/chains";

/** A real EIP-1193 wallet of a known key, which the pages find by EIP-6963. It asks nobody before it signs. */
export async function announceWallet(
  context: BrowserContext,
  { account, name, rpcUrl }: { account: HDAccount; name: string; rpcUrl: string },
): Promise<void> {
  const wallet = createWalletClient({ chain: foundry, transport: http(rpcUrl), account });
  await context.exposeBinding("askWallet", (_source, { method, params }) => {
    if (/accounts/i.test(method)) return [account.address];
    if (method === "eth_signTypedData_v4") return account.signTypedData(JSON.parse(params[1]));
    return wallet.request({ method, params } as never);
  });
  await context.addInitScript((walletName) => {
    const page = globalThis as unknown as {
      askWallet: (asked: unknown) => Promise<unknown>;
      dispatchEvent(event: object): void;
      addEventListener(type: string, listener: () => void): void;
      CustomEvent: new (type: string, init: object) => object;
    };
    const info = { uuid: "announced", rdns: "announced.example", name: walletName, icon: "" };
    const detail = { info, provider: { request: (asked: unknown) => page.askWallet(asked) } };
    const announce = () => page.dispatchEvent(new page.CustomEvent("eip6963:announceProvider", { detail }));
    page.addEventListener("eip6963:requestProvider", announce);
  }, name);
}
