// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title What votes act through: it owns the ledger's treasury leaf, and names rollups
/// @notice OpenZeppelin's TimelockController with a floor under its delay: whatever a vote decides, roles and delay among
/// it, waits LEAVE_TIME first. Nobody has a right here but the governor's votes; whoever likes carries out what is due.
contract GovernanceTimelock is TimelockController {
    /// @notice Longer than the rollup's HARD_DEADLINE of 7 days, after which anybody freezes a ledger whose queue stands
    /// still, and everybody leaves by proofs.
    uint256 public constant LEAVE_TIME = 30 days;

    /// @notice Nothing may happen sooner than LEAVE_TIME after it was queued.
    error TimelockDelayTooShort(uint256 delay, uint256 leastDelay);

    /// @param delay Seconds from queueing to execution, at least LEAVE_TIME.
    /// @param governor Alone may schedule and cancel. It may be deployed after this contract.
    constructor(uint256 delay, address governor)
        TimelockController(delay, _only(governor), _only(address(0)), address(0))
    {
        _requireLeaveTime(delay);
    }

    /// @notice As OpenZeppelin's, never below LEAVE_TIME.
    function updateDelay(uint256 newDelay) public override {
        _requireLeaveTime(newDelay);
        super.updateDelay(newDelay);
    }

    function _requireLeaveTime(uint256 delay) private pure {
        if (delay < LEAVE_TIME) revert TimelockDelayTooShort(delay, LEAVE_TIME);
    }

    function _only(address one) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = one;
    }
}
