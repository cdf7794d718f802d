"""What else happens in the company: tickets, money, travel, lunch, people."""

from __future__ import annotations

from generator.stories import FIELD, RELEASES, SALES, SERVERS
from generator.texts import Story, Topic

__all__ = ["TOPICS"]

_SUPPORT = Topic(
    ("Support", "Product", "Engineering"),
    (
        Story(
            ("Many questions about {screen}", "Words for {screen}"),
            "The fourth customer this month asks the same thing about {screen}. I think that the "
            "words on the page are the problem, not the customers.",
            ("The screenshot is attached.",),
            (
                "Thank you for collecting these. I will change the words on the page.",
                "Could you send me the four questions? I want to use their words.",
                "We could also hide the second half until somebody needs it.",
            ),
            ("No more questions since {weekday}. Thanks!",),
        ),
        Story(
            ("Ticket {number}: alarms from {site}",),
            "{customer} gets an alarm every night at the same time. The level is normal; it looks "
            "like the threshold is read in feet.",
            ("They are friendly about it, but they have waited for {count} days.",),
            (
                "Confirmed: it happens when the account has its units set to imperial.",
                "Can you ask for the serial number? I would like to see the packets.",
                "Fixed on staging; it goes out with {version}.",
                "Please tell them that we found it, and that it is on our side.",
            ),
            ("They confirm that it works now.", "Closed the ticket. Thanks!"),
        ),
        Story(
            ("Ticket {number}: {field} shows zero",),
            "A customer sees zero for the {field}, but only in the app. The web page is right.",
            (
                "The screenshot is attached.",
                "It started with {version}, as far as I can see.",
            ),
            (
                "Does it happen with the test account too?",
                "Yes, after midnight UTC. Until then it is right.",
                "Found it: the app asks for tomorrow. A day is a difficult thing.",
            ),
            ("Told them. Happy again.",),
        ),
        Story(
            ("{customer} cannot log in",),
            "{customer} has a new mail provider, and our links for the password go to their junk. "
            "I sent one by hand for now.",
            ("They suspect that others have the same trouble.",),
            (
                "Which provider is it? I can look at the reports.",
                "Our signature was missing on the second server since {weekday}. Repaired.",
                "Let us put a note next to the button as well.",
            ),
            ("The next link arrived where it should.",),
        ),
    ),
    ("png", "txt"),
)
_MONEY = Topic(
    ("Office", "Management"),
    (
        Story(
            ("Travel costs {month}", "Receipts of {month}"),
            "I am closing the books for {month} and miss the receipts of the trip to {city}.",
            ("Please have a look before {weekday}.",),
            (
                "The receipts are in the folder now, except for the taxi.",
                "I have the hotel, but not the train. The machine kept the paper.",
                "A note with date and amount is enough for the taxi.",
            ),
            ("Booked. Thank you!", "All complete now."),
        ),
        Story(
            ("Budget {quarter}",),
            "The numbers for {quarter} are in the attached sheet. Product is {count} percent below "
            "its budget, mostly because the studio has not sent its invoice yet.",
            ("Line {count} is an estimate.",),
            (
                "Line {count} should go to Hardware, they ordered it.",
                "Looks right to me. Thank you for chasing it.",
                "May we keep the rest for the fair in {city}?",
            ),
            ("Thanks, closed.",),
        ),
        Story(
            ("Invoice {number} from {customer}",),
            "Invoice {number} has come in without a cost centre. Is it yours? The amount is EUR "
            "{amount}.",
            ("Please have a look before {weekday}.",),
            (
                "Yes, that is ours. Cost centre 420, please.",
                "Not mine. It may be the tank, ask Freja.",
                "The amount is too high by the VAT, I think.",
            ),
            ("Booked. Thank you!",),
        ),
    ),
    ("xlsx", "pdf"),
)
_TRAVEL = Topic(
    ("Office", "Product", "Sales"),
    (
        Story(
            ("Trip to {city}", "Train or plane to {city}?"),
            "For the trip to {city} I can offer a train at {hour} or a flight in the evening. The "
            "train takes two hours longer and is half the price.",
            ("Tell me by {weekday}, then I book it.",),
            (
                "The train, please. I can work there.",
                "The flight, please. I have a meeting until four.",
                "Can I come back a day later, at my own cost?",
            ),
            ("Booked!", "All set."),
        ),
        Story(
            ("Fair in {city}: stand and people",),
            "The fair in {city} is in five weeks. We need {count} people on the stand, and somebody "
            "who brings the tank.",
            ("The stand is number {number}, next to the entrance.",),
            (
                "I can be there on the first two days.",
                "Can somebody else take the tank? My car is too small.",
                "I bring the tank, if I need not carry it alone.",
            ),
            ("All set. Thank you!",),
        ),
        Story(
            ("Hotel in {city}",),
            "The usual hotel in {city} is full. There is one at the harbour, ten minutes on foot.",
            ("Breakfast is included.",),
            (
                "The hotel at the harbour sounds fine. A quiet room if possible.",
                "Is there a desk in the room?",
            ),
            ("Booked!",),
        ),
    ),
    ("pdf", "ics"),
)
_KITCHEN = Topic(
    ("Office", "Engineering", "Product", "Support", "Hardware", "Operations"),
    (
        Story(
            ("Lunch on {weekday}?", "{dish} on {weekday}"),
            "Who is in for {dish} on {weekday}? I order at eleven.",
            ("Vegetarians: I have asked, it is possible.",),
            (
                "Me!",
                "Count me in, but without onions.",
                "I am at a customer's, eat mine.",
                "Two of us from the second floor.",
            ),
            ("We are {count} then. Table is booked.", "It was delicious, thank you."),
        ),
        Story(
            ("Cake in the kitchen",),
            "There is cake in the kitchen. The reason is a birthday whose number I keep secret.",
            ("First come, first served.",),
            ("Happy birthday!", "Is there any left?", "It was delicious, thank you."),
        ),
        Story(
            ("Coffee machine",),
            "The coffee machine blinks in a way that is not in the manual. Until somebody comes, "
            "please use the old one.",
            (),
            ("It wants to be descaled. I do it.", "Where is the old one?", "It works again!"),
        ),
        Story(
            ("Whose bicycle is in front of the gate?", "Lost: a blue scarf"),
            "Somebody has left a bicycle in front of the gate and a blue scarf on it. The delivery "
            "cannot get in.",
            (),
            (
                "The bicycle is mine, sorry, the scarf is not.",
                "The scarf is mine!",
            ),
            ("The gate is free. Thank you.",),
        ),
    ),
)
_HIRING = Topic(
    ("Office", "Engineering", "Support", "Product"),
    (
        Story(
            ("Candidate for {job}",),
            "We have {count} applications for the {job}, and two that I would like to meet. Could "
            "you read them until {weekday}?",
            ("The first one has built tide models as a hobby. The papers are attached.",),
            (
                "Read both. I would invite them both.",
                "The second one asks for four days a week. Is that possible?",
                "Four days are fine.",
            ),
            ("Invited.",),
        ),
        Story(
            ("Interviews on {weekday}", "{job}: second round"),
            "The interview is on {weekday} at {hour}. I suggest that we split: you take the "
            "project questions, I take the rest.",
            (),
            (
                "On {weekday} I am out; could we do it at {hour} the day after?",
                "Fine. I will ask about the worst bug of her life.",
                "I liked how she explained the trade-offs. Yes from me.",
            ),
            ("She said yes!",),
        ),
        Story(
            ("Welcome plan for our new {job}",),
            "Our new {job} begins on the first. A draft of the plan for the first two weeks is "
            "attached; please check your part.",
            (),
            (
                "Please add an hour with support. Everybody should hear customers in the first week.",
                "I can do the tour of the tank.",
                "Do we have a laptop?",
            ),
            ("Thank you, plan is updated.",),
        ),
    ),
    ("pdf", "docx"),
)

#: What is talked about; what stands twice is talked about twice as much.
TOPICS = (
    RELEASES,
    RELEASES,
    SERVERS,
    SERVERS,
    FIELD,
    SALES,
    _SUPPORT,
    _SUPPORT,
    _MONEY,
    _TRAVEL,
    _KITCHEN,
    _HIRING,
)
