"""What happens in the company: openings, details, answers and ends that go together, by topic."""

from __future__ import annotations

from generator.texts import Story, Topic

__all__ = ["FIELD", "RELEASES", "SALES", "SERVERS"]

RELEASES = Topic(
    ("Engineering", "Product"),
    (
        Story(
            ("{product} {version}: what is in", "Scope of {version}"),
            "Can we agree on the scope of {version} this week? The list has grown to {number} "
            "items since we last talked, and two of them I would rather move to the next one.",
            (
                "Support asked again for the reason codes in the export. It is a small change.",
                "Documentation is missing for the new parameters; I would not ship without it.",
            ),
            (
                "Fine with me. Let us move the two and keep the date.",
                "I would like to keep the export change in: three customers wait for it.",
                "What about the import of {field}? It is still slow for stations with more than "
                "ten years of data.",
                "That is too much for one release. Half of it, and the other half in four weeks?",
            ),
            ("Then it is settled. I will write the notes.", "Good, the list is updated."),
        ),
        Story(
            ("Release {version} on {weekday}?", "Freeze for {version}"),
            "Short status of {version}: the branch is cut, the tests on the staging system are "
            "green, and the notes are half written.",
            (
                "The change to {screen} needs another look on small screens.",
                "The migration takes {count} minutes on a copy of the production data, so we can "
                "do it without closing the site.",
            ),
            (
                "The review is done except for {screen}. I will finish it tomorrow.",
                "If the migration runs before seven in the morning nobody will notice it.",
                "Could we try it with one friendly customer first? {site} would be willing.",
                "I found one more thing: the {field} graph is empty when the range crosses "
                "midnight.",
                "Fixed in the branch. It was the half-hour time zones.",
            ),
            ("Tagged and on staging.", "It is out. Thank you, everybody!"),
        ),
        Story(
            ("{screen} on small screens", "Sketches for {screen}"),
            "Three sketches for {screen} are attached. The second one is my favourite, the third "
            "is the cheapest.",
            (
                "I tested it with two customers; both found the button.",
                "The colours are not final.",
            ),
            (
                "The second one. But the graph needs more room on a telephone.",
                "Could the units stand behind the numbers? On the ship they read it from far away.",
                "The third would be done in {count} days, the second in twice that.",
            ),
            ("Second one it is.", "Changed, and published."),
        ),
        Story(
            ("Names of the alarm levels", "Draft: help page for {screen}"),
            "Here is a draft of the help page. I tried to say first what one wants to do, and only "
            "then which button it is. And: should it be \u201cwarning\u201d or "
            "\u201cnotice\u201d? Customers use both, and mean different things.",
            ("Please be strict with the second paragraph.",),
            (
                "Much better than the old one. I would cut the last paragraph.",
                "I would say \u201cnotice\u201d; a warning should wake somebody up.",
                "The picture is from the old version. I can make a new one.",
            ),
            ("Changed, and published.",),
        ),
    ),
    ("png", "txt", "json", "pdf"),
)
SERVERS = Topic(
    ("Engineering", "Operations"),
    (
        Story(
            ("Slow queries on the station page",),
            "Since last night the page takes about {count} seconds for some stations. The database "
            "is not busy, so it must be something above it.",
            ("A plan of the query is attached.",),
            (
                "I have added an index on staging, and it helps: from {number} ms to 12.",
                "It came back after the deployment. I rolled the worker back and look at it now.",
                "Only stations with more than one sensor, as far as I can see.",
                "The graph looks normal again.",
            ),
        ),
        Story(
            ("Disk on db{count} at 85 %", "Queue of readings is growing"),
            "The monitoring is not red yet, but I do not like the curve. At this rate we have "
            "{count} days.",
            ("We never cleaned up the raw packets of the trial two years ago.",),
            (
                "Can we drop everything older than 90 days from the raw table? Nobody reads it.",
                "I would do it on {weekday} before work. Ten minutes, no downtime.",
                "Please keep the packets of {site}; the customer may still ask for them.",
                "Let us also add an alarm so that we hear of it earlier.",
            ),
            ("Done: we have room for a year now.",),
        ),
        Story(
            ("Duplicate readings from {site}",),
            "I looked into the readings from {site}: the logger sends every packet twice when the "
            "connection is weak, and we store both.",
            ("The list is attached.", "It is about one packet in two hundred."),
            (
                "The second copy has the same sequence number, so it is easy to tell.",
                "Good find. That explains the strange sums in the monthly figures.",
                "Fixed on staging. Should I also clean up the old ones?",
                "Yes, please, but tell the customer first: their numbers will change a little.",
            ),
        ),
        Story(
            ("Maintenance on {weekday} at {hour}",),
            "On {weekday} from {hour} the file server is down for about {count} minutes. Please "
            "save your work before.",
            ("If that does not suit you, tell me today.",),
            (
                "Fine for Product.",
                "Could it be half an hour later? We have a demo.",
                "Will the door system work in the meantime?",
            ),
            ("Done, everything is up again.", "Moved by half an hour."),
        ),
        Story(
            ("Old keys of the API", "Certificates expire on {weekday}"),
            "There are {number} API keys that nobody has used for a year. I would switch them off "
            "on {weekday}, after a note to the customers.",
            ("The list is attached.",),
            (
                "Two of the keys belong to a customer who reads once a year. Please keep them.",
                "Good. Can the note say how to get a new one?",
                "I have sent the note. No answers yet, which is probably good.",
            ),
            ("Switched off. Nobody has called.",),
        ),
    ),
    ("txt", "sql", "png", "csv"),
)
FIELD = Topic(
    ("Hardware", "Product"),
    (
        Story(
            ("Field test at {site}", "{product}: first results from {site}", "Photos from {site}"),
            "We are back from {site}. The gauge hangs where it should, the mast is straight, and "
            "the first readings agree with the old one within {count} mm.",
            (
                "Pictures are attached; the last one shows the bracket.",
                "At wind speeds above 15 m/s the radio drops out for a minute or two.",
            ),
            (
                "Nice! Can we use one of the pictures for the newsletter?",
                "How does it behave at low water? That was the trouble there last time.",
                "Firmware {version} reports the battery more honestly, please use that one.",
                "The harbour master has called: he likes it, and asks for a second one.",
            ),
            ("Good. See you on the pier.",),
        ),
        Story(
            ("{part} for the next batch",),
            "The supplier of the {part} has changed the material. It looks better, but I want to "
            "see it through one winter before we order {number}.",
            ("Drawings are attached.",),
            (
                "I would order a small batch of 20 first and leave {count} of them outside.",
                "What is the price at {number}? If it is only the discount, we can wait.",
                "They can hold the offer until the end of the quarter.",
            ),
            ("Understood, I will order 20.",),
        ),
        Story(
            ("Salt in the {part}", "Leak at {site}"),
            "Salt has got into the {part} of the unit at {site} again. Same place as last year.",
            ("Pictures are attached.", "The battery has lost {count} percent in two weeks."),
            (
                "The gasket is from the same lot as the ones that leaked. Let us change all of them.",
                "I would use the longer screws for the next batch.",
                "Has the customer seen it? I would rather call before they do.",
            ),
            ("New gaskets are ordered.", "Thanks, that helps."),
        ),
    ),
    ("jpg", "jpg", "csv", "gpx"),
)
SALES = Topic(
    ("Sales", "Product", "Management"),
    (
        Story(
            ("Offer for {customer}", "{customer}: price for {count} units"),
            "{customer} would like {count} units of the Skerry 2 and asks for our best price. They "
            "compare us with a cheaper offer without a data service.",
            (
                "They insist on a delivery before the season begins.",
                "A draft is attached. The discount is the one of last year.",
            ),
            (
                "Ten percent is possible if they take two years of service.",
                "Delivery in eight weeks is safe, six is a promise I would not make.",
                "Remove the line about self-hosting, it only leads to questions.",
                "The other offer has no certificate. Their auditor will ask for one.",
            ),
            ("They signed!", "Sent. Let us see."),
        ),
        Story(
            ("Renewal of {customer}",),
            "The contract with {customer} ends in six weeks. They are happy with the gauges, less "
            "so with the export.",
            ("Payment in 30 days would be fine with them.",),
            (
                "The new export is in {version}. I can show it to them.",
                "What would they pay for a fixed delivery of the data every morning?",
                "Please mention the new alarm rules; that is what they missed last time.",
            ),
            ("Two more years. Well done!",),
        ),
        Story(
            ("Demo for {customer} on {weekday}",),
            "I show Tideline to {customer} on {weekday}. Is there anything new that I should know?",
            ("Their IT wants to host the data themselves, which we do not offer.",),
            (
                "I can join for the first half hour.",
                "Use the test account of {site}, it has the best curves.",
                "Do not open {screen} before {version} is out.",
            ),
            ("It went well, thank you. They want to see it again with their boss.",),
        ),
        Story(
            ("Newsletter {month}: your topics?", "Talk in {city}"),
            "The newsletter goes out next week. Do you have something for it? Two sentences and a "
            "picture are enough.",
            ("Deadline is {weekday}.",),
            (
                "The new alarm rules, with the picture of the pier.",
                "They have accepted our talk in {city}! Twenty minutes, on the second day.",
                "I can write something about the {field}.",
            ),
            ("Thank you, it is in.", "Sent to print."),
        ),
    ),
    ("pdf", "docx", "xlsx"),
)
