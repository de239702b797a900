// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IActivationGate, ISettlementGate} from "../rollup/IActivationGate.sol";

/// @title What a contract behind a gate of several says
interface IAdmissions {
    /// @notice By which model commitment a rollup may take the Activation of this model with this word J; 0 for none. Under rollup 0
    /// for every rollup.
    function admissions(address rollup, uint256 modelId, uint256 word) external view returns (uint256 id);
}

/// @title What a member has besides that judges settlements
interface ISettlementJudge {
    /// @notice Whether the rollup may take the settlement by draws of this model with this commitment C. Once yes, for ever.
    function settlesFor(address rollup, uint256 modelId, uint256 commitment) external view returns (bool);
}

/// @title One gate before several contracts of disputes
/// @notice A rollup names one gate, and each kind of model has a contract of its own. This gate admits what one of its
/// members has admitted, for the rollup that asks. It adds no rule, has no owner and no state that changes.
///
/// A member admits a model only after a model commitment with it has stood for its window, or where the statics promise none. So
/// a model that one member refuted may be posted to another. There its statement has to be a lie about its kind, which
/// that member refutes as any other: whoever watches a gate has to watch all members.
/// A settlement by draws is taken where no member that judges settlements refuses it.
contract ActivationGates is IActivationGate, ISettlementGate {
    uint256 private constant MOST_MEMBERS = 8;

    address[] private _members;
    /// @dev Members that judge settlements.
    address[] private _judges;

    error GatesMembersInvalid();

    /// @param members_ 1 to 8 contracts, each once.
    constructor(address[] memory members_) {
        uint256 count = members_.length;
        if (count == 0 || count > MOST_MEMBERS) revert GatesMembersInvalid();
        for (uint256 i; i < count; i++) {
            // A contract that has no admissions to show would make every question fail.
            IAdmissions(members_[i]).admissions(address(this), 0, 0);
            for (uint256 k; k < i; k++) if (members_[k] == members_[i]) revert GatesMembersInvalid();
            (bool isJudge, bytes memory said) =
                members_[i].staticcall(abi.encodeCall(ISettlementJudge.settlesFor, (address(this), 0, 0)));
            if (isJudge && said.length == 32) _judges.push(members_[i]);
        }
        _members = members_;
    }

    /// @notice Which contracts it asks, in their order. They never change.
    function members() external view returns (address[] memory) {
        return _members;
    }

    /// @inheritdoc IActivationGate
    /// @dev Attack: an admission for another rollup. Each member is asked about the caller, and about what it has admitted
    /// for all.
    function admits(uint256 modelId, uint256 word) external view returns (bool) {
        for (uint256 i; i < _members.length; i++) {
            IAdmissions member = IAdmissions(_members[i]);
            if (member.admissions(msg.sender, modelId, word) != 0) return true;
            if (member.admissions(address(0), modelId, word) != 0) return true;
        }
        return false;
    }

    /// @inheritdoc ISettlementGate
    function refuses(uint256 modelId, uint256 commitment) external view returns (bool) {
        for (uint256 i; i < _judges.length; i++) {
            if (!ISettlementJudge(_judges[i]).settlesFor(msg.sender, modelId, commitment)) return true;
        }
        return false;
    }
}
