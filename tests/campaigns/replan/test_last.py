"""Where days and shares do not help: order, channel, acceptance, giving up, and cancelling last, each marked for what it is."""

import pytest

from apps.campaigns.conflicts.circumstances import Circumstances, PlannedCapacity
from apps.campaigns.replan.propose import propose

from .plans import at, campaign, grounds, message, offer, plan, terms


def kinds(proposal):
    return [(each.step.kind, each.step.campaign_id) for each in proposal.changes]


def test_a_reminder_before_its_announcement_is_moved_behind_it_and_nothing_else_is():
    found = plan(
        campaign(1, message(10, sent=at(24)), message(11, sent=at(22), follows_id=10), status="draft"),
        people={10: range(50), 11: range(50)},
    )
    proposal = propose(found, grounds(), terms())
    assert kinds(proposal) == [("retime", 1)]
    (change,) = proposal.changes
    assert change.step.parameters["shift"] == {"11": 3 * 24 * 60}
    assert ([each["rule"] for each in change.why["settles"]], change.why["contacts"]) == (["sequence"], 0)
    assert (proposal.after.of_weight(), proposal.left) == (0, ())


def test_what_follows_a_stopped_message_is_given_up_as_a_last_resort_and_not_with_its_campaign():
    from apps.campaigns.conflicts.snapshot import Absent

    found = plan(
        campaign(1, message(11, sent=at(22), follows_id=10), message(12, sent=at(23)), status="draft"),
        people={11: range(50), 12: range(50)}, absent=[Absent(10, at(20), is_stopped=True)],
    )
    proposal = propose(found, grounds(), terms(fair_share=1.0))
    assert kinds(proposal) == [("stop", 1)]
    assert (proposal.changes[0].step.message_id, proposal.changes[0].step.parameters["last"]) == (11, True)
    assert proposal.changes[0].why["contacts"] == 50
    assert not proposal.left


def two_in_store(status="scheduled"):
    """Two departments write to the same people an hour apart; both stay as they are, so that no day and no share is free."""
    return plan(
        campaign(1, message(1, sent=at(20)), status=status), campaign(2, message(2, sent=at(20, 10)), status=status),
        people={1: range(100), 2: range(100)},
    )


def test_what_may_not_be_changed_is_proposed_to_be_accepted_with_a_reason_and_an_end():
    proposal = propose(two_in_store(), grounds(), terms())
    assert kinds(proposal) == [("accept", 1)]
    step = proposal.changes[0].step
    assert (step.parameters["last"], step.parameters["until"]) == (True, "2026-11-20")
    assert step.parameters["reason"]
    assert proposal.after.of_weight() == 0


def test_what_blocks_is_never_proposed_to_be_accepted():
    deals = [offer(1, value=10, product=1), offer(2, value=30, product=1)]
    found = plan(
        campaign(1, message(1, sent=at(20), offer=deals[0]), status="scheduled"),
        campaign(2, message(2, sent=at(20, 10), offer=deals[1]), status="scheduled"), people={1: range(100), 2: range(100)},
    )
    proposal = propose(found, grounds(), terms())
    assert not proposal.changes
    assert {each.rule for each in proposal.left} == {"offers", "overlap"}


@pytest.mark.parametrize(("channels", "found"), [
    ({"sms"}, [("channel", 1)]), ({"call"}, [("accept", 1)]), (set(), [("accept", 1)]),
])
def test_another_channel_is_taken_before_accepting_where_it_is_in_time(channels, found):
    """Ten e-mails a day may go out, each day of the period; a call would need more days than there are."""
    from apps.campaigns.conflicts.lead_times import LeadTimes

    line = PlannedCapacity(1, "Few", "email", None, at(1).date(), None, (), 10, 0, False)
    crowded = plan(
        campaign(1, message(1, sent=at(20)), status="draft"), people={1: range(100)}, circumstances=Circumstances(capacities=(line,)),
    )
    asked = terms(fair_share=0.0, channels=frozenset(channels), lead=LeadTimes({("call", None): 30}))
    proposal = propose(crowded, grounds(), asked)
    assert kinds(proposal) == found
    assert proposal.after.of_weight() == 0


def test_cancelling_comes_last_and_only_where_it_is_worth_it():
    """A capacity that cannot be exceeded blocks: it is not accepted; giving the campaign up costs less than the conflict."""
    line = PlannedCapacity(1, "Few", "email", None, at(1).date(), None, (), 1, 0, True)
    crowded = plan(
        campaign(1, message(1, sent=at(20)), status="draft"), people={1: range(100)}, circumstances=Circumstances(capacities=(line,)),
    )
    proposal = propose(crowded, grounds(), terms(fair_share=1.0))
    assert kinds(proposal) == [("cancel", 1)]
    assert proposal.changes[0].step.parameters["last"]
    assert proposal.changes[0].why["contacts"] == 100
    assert kinds(propose(crowded, grounds(), terms(fair_share=0.9))) == [], "no department gives up more than its share"
