// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Whether a model may begin, and whether its epoch may be settled by draws
/// @notice A rollup that names one asks it before it takes an Activation (docs/explanation/disputes.md), and before it takes a settlement by
/// draws (docs/explanation/fault-proofs.md). It decides nothing else: no gate can hold back a payment, a settlement by row counts or a
/// withdrawal.
interface IActivationGate {
    /// @notice Whether the calling rollup may take the Activation of this model with this word J.
    function admits(uint256 modelId, uint256 word) external view returns (bool);
}

/// @title What a gate has besides that judges settlements. One without it refuses none
interface ISettlementGate {
    /// @notice Whether the calling rollup may not take the settlement by draws of this model with this commitment C. What
    /// is not refused is never refused again: a batch that is in proof relies on it.
    function refuses(uint256 modelId, uint256 commitment) external view returns (bool);
}
