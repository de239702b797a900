// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {TraceGame} from "../disputes/TraceGame.sol";
import {TraceRules} from "../disputes/TraceRules.sol";

/// @title The game alone, about queries of no ledger's receipt
/// @notice For tests and measurements: no verdict of it is waited for.
contract FreeTraces is TraceGame {
    constructor(
        TraceRules rules_,
        uint256 windowSeconds_,
        uint256 sideSeconds_,
        uint256 leastBondWei_,
        uint256 stakeWei_
    ) TraceGame(rules_, windowSeconds_, sideSeconds_, leastBondWei_, stakeWei_) {}

    /// @notice Claims a query. @param path From the text's program to `programs`. @return claimId 1, 2, …
    function claim(Statement calldata statement, bytes32[] calldata path) external payable returns (uint256 claimId) {
        return _claim(statement, path, 0);
    }
}
