// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Whether a model may begin
/// @notice A rollup that names one asks it before it takes a Genesis (docs/disputes.md). It decides nothing else: no gate
/// can hold back a payment, a settlement or a withdrawal.
interface IGenesisGate {
    /// @notice Whether the calling rollup may take the Genesis of this model with this word J.
    function admits(uint256 modelId, uint256 word) external view returns (bool);
}
