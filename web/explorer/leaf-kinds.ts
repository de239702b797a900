/** Names of the kinds of leaves on the explorer's pages. */
export const KIND_NAMES = { account: "Account", datanet: "Datanet", model: "Model" } as const;
