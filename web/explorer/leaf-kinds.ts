/** Words for the kinds of leaves (account, Datanet, model) on the explorer's pages. */
export const KIND_NAMES = { account: "Account", datanet: "Datanet", model: "Model" } as const;
