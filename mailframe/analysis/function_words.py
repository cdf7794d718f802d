"""Words that hold sentences together and say nothing of what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FUNCTION_WORDS"]

# As `parsing.tokens` writes them. What is one in this language and a noun that mail may be about in
# that (the Dutch "door", the German "war", the French "car") is left out.
_BY_LANGUAGE: Mapping[str, str] = {
    "English": """
        a about above after again against all also am an and any are aren't as at be because been
        before being below between both but by can can't cannot could couldn't did didn't do does
        doesn't doing don't down during each few for from further had has hasn't have haven't having
        he her here him his how i i'd i'll i'm i've if in into is isn't it it's its itself just
        let's may me might more most must my no nor not now of off on once only or other our ours
        out over own per same shall she should shouldn't since so some still such than that that's
        the their them then there there's these they they're this those through to too under until
        up upon us very via was wasn't we we'd we'll we're we've were weren't what when where which
        while who whom whose why will with within without won't would wouldn't yet you you'd you'll
        you're you've your yours
    """,
    "German": """
        aber als am an auch auf aus bei beim bis da dann das dass dein dem den der des deshalb dich
        die dies diese diesem diesen dieser dieses dir doch du durch ein eine einem einen einer
        eines er es euch euer für gegen habe haben hast hatte hätte ich ihm ihn ihnen ihr ihre ihrem
        ihren ihrer im in ins ist ja kann kein keine keinen können mein meine meinem meinen meiner
        mich mir mit nach nicht noch nun nur ob oder ohne schon sehr sein seine sich sie sind so
        soll sollte über um und uns unser unsere unter vom von vor wann waren was weil wenn werden
        wie wieder wir wird wo wurde würde zu zum zur zwischen
    """,
    "French": """
        ai alors après as au aucun aussi autre aux avant avec avez avoir avons c'est ce cela ces cet
        cette ceux chez comme comment d'un d'une dans de depuis des donc dont du elle elles en
        encore entre es est et être étaient était eu eux fait il ils j'ai je jusqu'à l'on la là le
        les leur leurs lui ma mais me même mes moi mon n'a n'est ne ni nos notre nous on ont ou où
        par pas pendant peu peut plus pour pourquoi qu'elle qu'il qu'on qu'un quand que quel quelle
        qui s'est s'il sa sans se ses si sommes sont sous suis sur ta te tes toi tous
        tout toute toutes très tu un une vers vos votre vous y à ça
    """,
    "Spanish": """
        a al algo antes aquí así aunque bajo bien cada casi como con contra cual cuando de del desde
        donde dos durante e el él ella ellas ellos en entre era eran es esa ese eso esta está están
        este esto estos estoy fue ha había han hasta hay he la las le les lo los más me mi mí mis
        mucho muy nada ni no nos nosotros nuestra nuestro o os otra otro para pero poco por porque
        pues que qué quien se según ser si sí sido sin sobre soy su sus también tan te tener
        tengo ti tiene todo todos tu tus un una uno unos usted ustedes ya yo
    """,
    "Italian": """
        a abbiamo ad agli ai al alla alle allo anche ancora avere c'è che chi ci come con cosa così
        cui da dagli dai dal dalla dalle de degli dei del della delle dello di dopo dove e è
        ed era fra già gli ha hai hanno ho i il in io l'ho la le lei li lo loro lui ma me mi mia mie
        miei mio molto ne negli nei nel nella nelle no noi non nostra nostro o ogni per perché però
        più poi prima quale quando quanto quella quello questa queste questi questo qui se sei si sì
        sia siamo solo sono sta su sua sue sugli sui sul sulla suo suoi te ti tra tu tua tuo tutti
        tutto un una uno vi voi vostra vostro
    """,
    "Portuguese": """
        a à ainda ao aos aquele aqui as às até cada com como da das de dela dele depois do dos e é
        ela elas ele eles em entre era essa esse esta está estão estas este estes estou eu foi foram
        há isso isto já lhe mais mas me mesmo meu meus minha muito na não nas nem no nos nós nossa
        nosso num numa o os ou para pela pelas pelo pelos por porque quais qual quando que quem se
        sem ser será seu seus só sobre sua suas também te tem têm tenho ter teu toda todo todos um
        uma umas uns você vocês
    """,
    "Dutch": """
        aan al alle als altijd andere bij daar dan dat de der deze die dit doen dus een eens en er
        ge geen haar had heb hebben hebt heeft hem het hier hij hoe hun ik in is ja je jij jou jouw
        jullie kan kon kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om
        omdat ons onze ook op over te tegen toch toen tot u uit uw van veel voor waar waren was wat
        we wel werd wie wij wil worden wordt zal ze zich zij zijn zo zonder zou zullen
    """,
    "Polish": """
        a aby ale albo ani az aż bardzo bez bo by być był była było były będzie ci co czy dla do
        gdy gdzie go i ich ile im ja jak jako je jego jej jest jestem jeszcze jeśli już kiedy kto
        która które którego której który których która którzy lub ma mam mi mnie moja mój może my na
        nad nam nas nasz nasza nasze nie nich nim niż no o od on ona oni ono oraz po pod ponieważ
        przed przez przy się są ta tak także tam te tego tej też to tu tutaj twój ty tych tylko
        tym u w was we więc wszystko wy z za ze że żeby
    """,
    "Russian": """
        а без бы был была были было быть в вам вас ваш ваша ваше вы где да для до его ее если есть
        ещё еще же за и из или им их к как ко когда кто ли меня мне мой моя мы на над нам нас наш
        наша наше не него нее ней нет ни них но ну о об он она они оно от очень по под после при
        про с свой себя со так также там тебе тебя то того тоже той только том ты у уже чем что
        чтобы эта эти это этого этой этом этот я
    """,  # noqa: RUF001
    # Of scripts without blanks each character is a word.
    "Chinese": """
        的 了 在 是 我 你 您 他 她 它 们 們 和 与 與 及 也 都 就 这 這 那 之 于 於 吗 嗎 呢 吧 啊 把
        被 对 對 为 為 以 很 还 還 个 個
    """,
    "Japanese": """
        の は が を に で と も へ や か ら な て た だ し す ま る れ
        さ い く う こ そ あ っ ね よ り き え お つ ん け ち ば
    """,
}

#: All of them: mail is written in several languages.
FUNCTION_WORDS: frozenset[str] = frozenset(
    word for listed in _BY_LANGUAGE.values() for word in listed.split()
)
