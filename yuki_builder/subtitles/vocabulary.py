"""Words that tell a name from a title, a sentence or a sound, in many languages, where the file itself cannot tell.

Compared as ``fold`` writes them: lower case, without accents. A word that ends with ``*`` stands for all that begin
with it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

_STROKES = str.maketrans("łđøı", "ldoi")  # letters that no accent is taken off


@functools.lru_cache(maxsize=1 << 14)
def fold(text: str) -> str:
    """Lower case, without accents and full-width forms: `MÚSICA` and `Musica` are one word."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_STROKES)
    return unicodedata.normalize("NFC", "".join(c for c in plain if unicodedata.category(c) != "Mn"))


class Words:
    """A set of folded words and beginnings of words."""

    def __init__(self, text: str) -> None:
        words = fold(text).split()
        self.whole = frozenset(word for word in words if not word.endswith("*"))
        stems = sorted(word[:-1] for word in words if word.endswith("*"))
        self._stems = re.compile("|".join(map(re.escape, stems)) if stems else r"(?!)")

    def __contains__(self, word: str) -> bool:
        folded = fold(word)
        return folded in self.whole or self._stems.match(folded) is not None

    def any_of(self, words: Iterable[str]) -> bool:
        """Whether one of the words is among these."""
        return any(word in self for word in words)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAME_PARTICLES = _words("al bin da de del den der di do dos du el la le of the van von y ibn e zu ter ten no")

SENTENCE_WORDS = Words(
    """
    i i'm i'll i've i'd you you're we we're he he's she she's they it it's my your our his her their is are
    was were be been
    told said say says not don't can't won't has have had does did would could should must if because
    than about
    dear hello hi hey thing things only very too just like for with from into at
    ich wir ihr sie mein dein sein ihre ist sind war waren nicht liebe lieber sehr mit
    je nous vous ils votre notre est sont etait pas cher chere chers avec voici voila
    yo usted nosotros eran querido querida querides estimado estimada estimados
    caro cari gentile sono voce voces sao nao caros
    ik jij wij hij zij mijn jouw zijn niet beste lieve voor
    jag inte basta jeg ikke
    jest nie drogi droga moj twoj
    я ты он она мы вы они мой твой ваш наш это не был была дорогой дорогая дорогие уважаемый уважаемая
    уважаемые
    siz onlar benim senin degil sevgili sayin
    عزيزي عزيزتي יקר יקרה αγαπητε αγαπητη
    """
)
"""What stands before a colon is a sentence or an address, not a name, where one of these is in it."""

NO_NAMES = Words(
    """
    note notes tn warning caution danger attention notice remember example tip hint question answer ps fyi
    nb re
    part episode chapter act scene season volume section step rule lesson date time place location subject
    address
    source translation translator translated subtitle subtitles caption captions sync edited editing timing
    typesetting encoding credits cast director directed produced written music lyrics song title
    http https www ftp tv usa uk ok okay yes no well so but and or then now first second third fourth last
    finally
    next previously meanwhile today tonight tomorrow yesterday monday tuesday wednesday thursday friday
    saturday
    sunday morning evening look listen see wait here there this that these those it what who why how when
    where
    which hey please result results summary conclusion truth fact problem point update breaking news exclusive
    live wanted sale total score phase plan option mission objective goal status error password username
    power speed height weight level rank size color colour temperature distance price cost age name class type
    language chapter verse psalm psalms book page line number item version size amount order task quest reward
    january february march april june july august september october november december
    remark moral translation means meaning meanwhile later before after ago earlier above below left right
    message email mail letter memo reminder instructions ingredients recipe menu agenda topic reason reasons
    rumor rumour verdict sentence charge motto proverb quote story idea bonus secret clue
    achtung warnung hinweis anmerkung bemerkung frage antwort kapitel teil folge akt szene uhrzeit datum ort
    thema
    betreff ergebnis leistung preis regel schritt lektion quelle titel beispiel montag dienstag mittwoch
    donnerstag
    freitag samstag sonntag heute morgen gestern also aber und oder dann jetzt erstens zweitens drittens
    remarque attention avertissement question reponse chapitre partie episode acte scene date heure lieu
    objet sujet
    resultat puissance prix regle etape lecon source titre exemple lundi mardi mercredi jeudi vendredi
    samedi dimanche
    aujourd'hui demain hier donc mais alors et ou premierement deuxiemement enfin conclusion probleme
    nota aviso atencion advertencia pregunta respuesta capitulo parte episodio acto escena fecha hora lugar
    asunto tema
    resultado potencia precio regla paso leccion fuente titulo ejemplo lunes martes miercoles jueves viernes
    sabado
    domingo hoy manana ayer entonces pero primero segundo tercero conclusion problema recuerda
    attenzione avviso domanda risposta capitolo episodio atto data ora luogo oggetto risultato potenza prezzo
    regola passo lezione fonte titolo esempio lunedi martedi mercoledi giovedi venerdi sabato domenica oggi
    domani ieri
    atencao pergunta resposta cena hora assunto preco licao exemplo segunda terca quarta quinta sexta
    let waarschuwing opmerking vraag antwoord hoofdstuk deel aflevering datum tijd plaats onderwerp resultaat
    varning obs fraga svar kapitel del avsnitt tid plats amne advarsel sporgsmal spørgsmål
    uwaga ostrzezenie pytanie odpowiedz rozdzial czesc odcinek data czas miejsce temat wynik moc
    pozor otazka odpoved kapitola cast dil datum cas misto vysledek
    figyelem kerdes valasz fejezet resz datum ido hely
    dikkat uyari soru cevap bolum kisim tarih saat yer konu sonuc
    внимание предупреждение вопрос ответ глава часть серия эпизод сцена дата время место тема итог результат
    мощность
    цена правило шаг урок источник название пример понедельник вторник среда четверг пятница суббота
    воскресенье
    сегодня завтра вчера псалом примечание увага питання відповідь розділ частина псалом
    προσοχη ερωτηση απαντηση κεφαλαιο μερος
    ملاحظة تحذير انتباه سؤال جواب الفصل الجزء المكان الزمان النتيجة مثال
    הערה אזהרה שאלה תשובה פרק חלק מקום זמן תוצאה
    주의 경고 질문 대답 답변 제목 장소 시간 결과 참고 제1장 예 문제 날짜
    หมายเหตุ คำเตือน คำถาม คำตอบ ตอนที่ สถานที่ เวลา
    luuy cau hoi chuong phan canh bao ghi catatan peringatan pertanyaan jawaban bab bagian
    注 注意 注释 註釋 译注 譯註 译者注 訳注 警告 提示 时间 時間 地点 地點 場所 字幕 翻译 翻譯 校对 校對 时间轴 时轴
    压制 片名 标题 標題 题目 例 例如 比如 结果 結果 问 问题 問 問題 答 答案 但是 所以 因为 因為 结论 結論 第一
    第二 第三 备注 備註 備考 注釈 目标 目標 制作 監督 原作 脚本 作曲 作词 编曲 編曲 演唱 歌 曲 来源 出处 日期
    密码 つまり だから でも 質問 回答 例えば 日時 日付 題名 結論 理由 原因 条件 要点 功率 力量 价格 价钱 规则
    """
)
"""Never a name where they end what stands before a colon."""

TITLES = Words(
    """
    chapter part episode act scene season volume section step rule lesson psalm psalms verse book day night
    week month
    year level round stage room floor page line number no item article phase case exhibit track area sector
    zone block
    unit model version test figure table appendix tip plan type class channel gate platform flight bus train
    kapitel teil folge akt szene staffel band regel schritt lektion tag woche jahr stufe runde zimmer etage
    seite nummer
    artikel psalm chapitre partie acte saison tome regle etape lecon jour semaine annee niveau salle etage
    psaume
    capitulo parte episodio acto escena temporada regla paso leccion dia semana ano nivel sala pagina
    articulo salmo
    capitolo atto stagione regola lezione giorno settimana anno livello stanza pagina articolo
    hoofdstuk deel aflevering bedrijf les dag jaar niveau kamer pagina avsnitt steg lektion dag vecka ar
    rozdzial czesc odcinek akt sezon zasada krok lekcja dzien tydzien rok poziom pokoj kapitola cast dil
    fejezet resz szabaly lepes nap het ev szint bolum kisim kural adim ders gun hafta yil
    глава часть серия эпизод акт сцена сезон том правило шаг урок день неделя год уровень этаж страница
    псалом статья
    """
)
"""With a number behind them they are headings: `CHAPTER ONE`, `Psalm 23`."""

NUMBER_WORDS = Words(
    """
    one two three four five six seven eight nine ten eleven twelve first second third fourth fifth last final
    eins zwei drei vier funf sechs sieben acht neun zehn un une deux trois quatre cinq six sept huit neuf
    dix premier
    uno dos tres cuatro cinco seis siete ocho nueve diez primero due tre quattro cinque sei sette otto nove
    dieci
    um dois quatro oito dez een twee drie vijf ett tva fyra fem sex sju atta nio tio jeden dwa trzy cztery
    piec
    i ii iii iv v vi vii viii ix x xi xii один два три четыре пять первая вторая третья первый второй третий
    bir iki uc birinci ikinci ucuncu dorduncu besinci ilk son pierwsz* drug* trzec* czwart* piąt* ostatni*
    prvni druh* treti ctvrt* pat* posledni elso masodik harmadik negyedik otodik utolso perv* вторая
    втор* треть* четверт*
    четвёрт* пят* последн* перш* друг* трет* erst* zweit* dritt* viert* funft* letzt* forsta andra
    tredje fjarde femte sista
    eerste tweede derde vierde vijfde laatste deuxieme troisieme quatrieme cinquieme dernier* segund*
    tercer* cuart* quint*
    second* terz* quart* ultim* primeir* terceir* ensimmainen toinen kolmas viimeinen prima dou* tre* prv*
    """
)

PLACES = Words(
    """
    london paris berlin tokyo moscow beijing shanghai rome madrid vienna prague budapest warsaw athens
    istanbul cairo
    jerusalem delhi mumbai bangkok hanoi jakarta seoul kyoto osaka sydney melbourne toronto chicago boston
    washington
    texas california nevada florida brooklyn manhattan hollywood england france germany italy spain russia
    china japan
    korea india america canada australia brazil mexico egypt israel turkey poland europe africa asia earth
    mars
    york angeles vegas francisco orleans kong petersburg edinburgh dublin oslo stockholm copenhagen helsinki
    amsterdam
    brussels zurich geneva munich hamburg milan venice naples florence lisbon barcelona havana baghdad kabul
    tehran
    londres moscou rom rome roma wien munchen paryz londyn moskwa praha moskva londra parigi berlino tokio
    pekin lisboa
    nuevayork sevilla milano napoli venezia firenze lyon marseille bordeaux koln frankfurt dresden leipzig
    genf
    warszawa krakow brno bratislava bukarest bucharest ankara izmir beirut beyrouth damascus
    москва лондон париж берлин токио рим киев пекин варшава прага питер ленинград вашингтон одесса київ львів
    伦敦 倫敦 巴黎 东京 東京 北京 上海 香港 台北 纽约 紐約 大阪 京都 横浜 札幌 ロンドン パリ ニューヨーク 서울
    부산 도쿄
    القاهرة بغداد دمشق بيروت لندن باريس ירושלים לונדון פריז αθηνα λονδινο παρισι
    """
)
"""A place before a colon says where, unless it speaks three times (there are characters called Berlin)."""

PLACEHOLDERS = _words(
    "ntp none null n/a na default actor name text comment caption unknown unk ??? tbd todo anonymous nobody noname "
    "inconnu unbekannt desconocido desconocida sconosciuto desconhecido неизвестно неизвестный 未知 不明 不詳 无名"
)
"""What programs and people write into the actor field where nobody is named."""

ACTOR_NOTES = Words(
    """
    sign signs os onscreen on-screen screen top bot bottom mid middle left right up down center centre main
    alt italic
    italics flashback flashbacks dream thought thoughts thinking inner monologue mono internal
    narration overlap
    overlaps overlapping qc qc'd edit edited editing timing timer tl tlc tlnote tln tn note notes check
    checked fix fixed
    todo ts typeset typesetting typesetter title titles eptitle preview next recap op ed opening ending
    insert song songs
    lyrics lyric karaoke kara romaji kanji english credits credit staff caption captions sub subs subtitle
    subtitles
    dialogue dialog default text comment radio tv phone speaker? off voice vo v.o. o.s. offscreen off-screen
    scream
    misc other others various style layer bg fg blur move eyecatch next-ep unsure ask fade
    schild titel notiz oben unten ruckblende gedanken panneau titre haut bas letrero cartel titulo arriba
    abajo
    cartello titolo insegna placa cartaz napis надпись титры заметка примечание верх низ флешбек
    nts ital verify revise pensamiento* pensando revisar corregir comprobar voz fuera pantalla recuerdo*
    pensamento* pensando revisar conferir hors champ verifier relire corriger pensee* souvenir* voix
    prufen korrigieren
    ruckblick* erinnerung* denkt stimme fuori campo pensiero controllare rivedere ricordo флэшбек*
    флешбэк* флэшбэк*
    проверить провер* исправить мысл* воспоминан* закадр* экран* вне кадра sprawdzic poprawic mysl*
    zkontrolovat opravit
    nakijken controleren gedachte* kontrol duzelt dusunce ellenoriz* javit* gondolat*
    标题 屏幕字 屏字 注释 注 翻译 校对 字幕 上 下 回忆 回想 内心 画面 看板 テロップ タイトル 注釈 上 下 心の声
    """
)
"""Notes of a fansub's makers in the actor field."""

FILLERS = Words("a à to zu da na de do")
"""Small words before a note to the other makers: `à vérifier`, `to check`."""

SIGN_ACTORS = Words(
    "sign signs onscreen on-screen typeset typesetting ts schild panneau letrero cartel cartello napis "
    "надпись placa cartaz 屏幕字 屏字 画面字 看板 テロップ"
)
NOTE_ACTORS = Words("qc tln tlnote tn примечание 译注 注释 注釈 訳注")

GENERIC_STYLES = Words(
    """
    default main dialogue dialog dialogs dialogues text subtitle subtitles sub subs normal standard regular
    base body
    top bottom bot up down upper lower left right center centre middle mid alt alternate alternative
    alternate2 italics
    italic bold internal thought thoughts thinking inner monologue mono narration narrator flashback
    flashbacks flash
    fb dream memory overlap overlaps overlapping second secondary primary other others misc various small
    big large
    white black red blue green yellow orange purple pink grey gray cyan magenta brown arial verdana tahoma
    helvetica
    times georgia calibri trebuchet roboto opensans noto sans serif simhei simsun kaiti fangsong meiryo
    gothic mincho
    song title sign op ed chs cht sc tc cn jp jpn jap eng en english chinese japanese korean kr ko de ger
    german fr fre
    french es spa spanish it ita italian pt por ru rus pl tr vi th ar zh ja gb big5 simplified traditional
    radio tv phone telephone speaker loudspeaker shout scream whisper preview next recap caption captions
    note notes
    style styles font copy new old temp test tst rev v1 v2 v3 hd sd p1080 p720 dvd bd web tvrip movie
    episode ep
    dial diag dlg ch generic cursiva* italico italica italique* kursiv* corsivo cursief cursivo italik
    kurziv* kursywa dolt
    arriba abajo cima baixo acima abaixo sopra sotto haut bas gora dol ust alt felso also nahore dole
    boven onder trên dưới
    pensamiento* pensamento* pensee* pensieri pensiero gedanke* mysli myslenk* gondolat* dusunce*
    recuerdo* ricordo ricordi
    lembranca* souvenir* ruckblend* erinnerung* wspomnien* vzpomink* emlek* narration* voz voix off overlap*
    dialogo dialogos dialoghi dialogues dialoge dialogi dialogy parbeszed diyalog principale hauptstil
    glowny haupt
    курсив* верх* нижн* низ мысл* воспоминан* флэшбек* флешбек* флэшбэк* основн* реплик* субтитр* титр*
    standart standaard padrao estandar principal dialog dialogue haut bas oben unten gedanken reve pensee
    默认 对白 对话 中文 日文 英文 主要 旁白 上 下 双语 字幕 正文 内心 回忆 标准 普通 セリフ 台詞 字幕 通常
    標準 回想 心の声
    기본 대사 основной основа стандарт диалог диалоги мысли верх низ
    """
)
"""Names of styles that say how a line looks or where it comes from, not who says it."""

PERSONS = Words(
    """
    man woman boy girl child kid baby men women guy lady gentleman male female narrator announcer reporter
    anchor
    newscaster newsreader presenter host hostess guard officer policeman policewoman cop detective inspector
    sheriff
    sergeant soldier captain colonel general major lieutenant commander pilot driver doctor nurse surgeon
    patient
    teacher student professor principal waiter waitress bartender barman chef cook clerk cashier
    receptionist secretary
    operator dispatcher boss manager president king queen prince princess duke priest nun monk rabbi pastor
    mother
    father mom mum dad mommy daddy mama papa brother sister son daughter uncle aunt grandma grandpa
    grandmother
    grandfather wife husband friend neighbor neighbour stranger passenger customer vendor farmer sailor
    fisherman
    servant maid butler judge lawyer prosecutor bailiff prisoner thief robot computer voice speaker
    interviewer
    interviewee caller commentator mc dj coach referee player villager merchant knight witch wizard ghost
    demon
    mann frau junge madchen kind erzahler erzahlerin sprecher sprecherin wache polizist arzt arztin lehrer
    lehrerin
    mutter vater bruder schwester oma opa kellner kellnerin konig konigin soldat reporter moderator
    homme femme garcon fille enfant narrateur narratrice garde policier docteur medecin infirmiere serveur
    serveuse
    mere pere frere soeur roi reine soldat journaliste presentateur professeur
    hombre mujer chico chica nino nina narrador narradora guardia policia medico enfermera camarero camarera
    madre
    padre hermano hermana rey reina soldado reportero presentador profesor profesora locutor
    uomo donna ragazzo ragazza bambino bambina narratore narratrice guardia poliziotto dottore infermiera
    cameriere
    cameriera madre padre fratello sorella re regina soldato
    homem mulher rapaz rapariga menino menina moca moco narrador guarda policial enfermeira garcom mae pai
    irmao irma
    rei rainha soldado
    vrouw jongen meisje verteller bewaker agent arts verpleegster ober moeder vader broer zus koning koningin
    kvinna pojke flicka berattare vakt polis lakare mor far bror syster kung drottning kvinne gutt jente
    kvinde dreng pige
    mezczyzna kobieta chlopiec dziewczyna dziewczynka narrator lektor straznik policjant lekarz pielegniarka
    kelner
    matka ojciec brat siostra krol krolowa zolnierz
    muz zena chlapec divka vypravec straz policista lekar sestra otec matka kral
    ferfi fiu lany narrator rendor orvos anya apa kiraly
    adam kadin erkek kiz cocuk anlatici bekci polis doktor hemsire garson anne baba kral kralice asker sunucu
    мужчина женщина мальчик девочка девушка парень рассказчик рассказчица диктор ведущий ведущая охранник
    полицейский
    врач доктор медсестра официант официантка мать отец брат сестра король королева солдат голос спикер
    чоловік жінка
    хлопчик дівчина оповідач лікар
    رجل امرأة ولد فتاة بنت الراوي راوي المذيع شرطي طبيب ممرضة أم أب ملك ملكة جندي الرجل المرأة
    גבר אישה ילד ילדה קריין מספר שוטר רופא אחות אמא אבא מלך מלכה חייל
    ανδρας αντρας γυναικα αγορι κοριτσι αφηγητης γιατρος νοσοκομα μητερα πατερας βασιλιας
    mies nainen poika tytto lapsi kertoja mees naine poiss tudruk virietis sieviete vyras moteris
    berniukas mergaite
    barbat femeie baiat fata copil muskarac zena djecak djevojka devojka decak мъж жена момче момиче разказвач
    pria wanita anak lelaki perempuan narator penyiar lalaki babae bata nguoi barn mand pige
    dame monsieur vieillard vieille mevrouw meneer herre senora senor signora signore senhora senhor
    पुरुष महिला आदमी औरत लड़का लड़की बच्चा مرد زن پسر دختر بچه গল্পকার পুরুষ নারী ลูก ผู้ชาย ผู้หญิง
    เด็ก ผู้บรรยาย
    speaker spk spkr sprecher locuteur hablante falante parlante relatore talare mowca mluvci konusmaci
    спикер говорящий
    """
)
"""People without a name: where a label holds one, it is a person also in lower case."""

CJK_PERSON = re.compile(
    r"(?:(?:若い|老|年轻|年輕|小|中年|젊은|늙은)?(?:男|女|男性|女性|男の子|女の子|少年|少女|男人|女人|男孩"
    r"|女孩|男子|女子|男声|女声|남자|여자|"
    r"남성|여성|소년|소녀)|語り手?|ナレーション|ナレーター|ナレ|旁白|解说|解說|画外音|讲述者|主持人|记者|記者"
    r"|司会|店員|店员|客|医者|"
    r"医生|醫生|护士|護士|警官|警察|刑事|先生|老师|老師|老板|子供|父|母|兄|姉|弟|妹|妈妈|媽媽|爸爸|爷爷|奶奶"
    r"|기자|앵커|해설|"
    r"내레이션|내레이터|사회자|의사|간호사|경찰|선생님|아이|어머니|아버지|엄마|아빠)"
)

GROUPS = Words(
    """
    both all everyone everybody crowd chorus choir group together people audience mob unison
    alle beide beiden alles zusammen gemeinsam chor menge leute
    tous toutes ensemble foule choeur deux
    todos todas ambos ambas juntos multitud gente publico coro
    tutti tutte entrambi entrambe insieme folla
    ambos multidao coro
    allen allemaal iedereen samen menigte koor
    toti toate amandoi amandoua impreuna multimea
    svi sve oboje obojica zajedno vsi obadva skupaj mnozica gomila
    vsetci obaja spolu
    alla bada tillsammans sammen folkmassa kor begge alle publikum
    kaikki molemmat yhdessa vakijoukko
    wszyscy wszystkie oboje obaj obie razem tlum chor
    vsichni vsechny oba obe spolecne dav sbor
    mindenki mindketten mindnyajan egyutt tomeg korus
    herkes hepsi ikisi birlikte hepberaber kalabalik koro
    все всё оба обе вместе хором толпа хор всi всі обидва обидві разом натовп
    усі всички двамата двете заедно тълпа сви заједно
    همه هردو باهم جمعیت दोनों सभी सब साथ भीड़ সবাই அனைவரும் இருவரும்
    الجميع كلاهما الكل معا الحشد الجمهور
    כולם שניהם שתיהן יחד קהל המון ביחד
    ολοι ολες ολα μαζι πληθος
    모두 다같이 일동 전원 함께 군중 둘다 둘 관객 다들
    ทุกคน ทั้งคู่ ทั้งหมด พร้อมกัน ฝูงชน
    semua keduanya bersama bersamaan kerumunan lahat sabay kõik molemad
    كلهم كلنا جميعا الجميع هردو 사람들 일동 여럿 아이들
    """
)
ARTICLES = Words("the la le les el los las il lo gli der die das den het o os as un une az ο η οι το")
"""Before the word for a group they change nothing: `LA FOULE`."""

GROUP_PHRASES = re.compile(
    r"(?:(?:the|all|both)\s+)?(?:two|three|four|both|all|others|rest|crowd|group|children|kids|boys|girls|men|women|"
    r"soldiers|students)(?:\s+of\s+(?:them|us))?(?:\s+together)?|in\s+unison|all\s+together|"
    r"tout\s+le\s+monde|(?:tous|toutes)?\s*les\s+deux|tous\s+ensemble|les\s+enfants|los\s+dos|las\s+dos"
    r"|todos\s+juntos|"
    r"todo\s+el\s+mundo|tutti\s+(?:e\s+due|insieme)|os\s+dois|as\s+duas|todo\s+mundo|toda\s+a\s+gente"
    r"|alle\s+zusammen|"
    r"alle\s+beide|και\s+οι\s+(?:δυο|δύο)|mọi\s+người|tất\s+cả|cả\s+(?:hai|nhóm|lớp)|đám\s+đông|cùng\s+nhau|hep\s+b[iİ̇]+rlikte|die\s+beiden|orang\s+banyak|둘\s*다|다\s+같이|هر\s+دو|دونوں|"
    r"(?:men|women|boys|girls|children|kids|others|soldiers|students|hombres|mujeres|ninos|niños|hommes"
    r"|femmes|enfants|"
    r"männer|frauen|kinder|дети|мужчины|женщины|солдаты|dzieci|děti)",
    re.IGNORECASE,
)
CJK_GROUP = re.compile(
    r"(?:一同|全員|全员|全体|全體|みんな|皆|皆さん|みな|両方|群衆|人々|観客|生徒たち|子供たち|子どもたち"
    r"|男たち|女たち|一斉に|"
    r"众人|眾人|大家|所有人|群众|群眾|观众|觀眾|众|眾|合|合唱|齐声|齊聲|同时|同時|同学们|孩子们|"
    r"모두|다같이|일동|전원|함께|군중|둘\s?다|다들|아이들|"
    r"[2-9２-９二三四五六七八九十两兩数][人名](?:とも|共)?|二人とも|ふたり|他们|她们|其他人|他の人たち)(?:の声)?"
)

LIST_WORDS = Words("and und et y e och og ja i a és ve и та й та و ו και và dan en &")
"""Between two names they join them."""

SOUND_WORDS = _words(
    """
    sigh gasp laugh chuckle giggle sob cry cough sniff sniffle grunt groan moan whimper scream shout yell
    shriek
    whisper mutter mumble murmur pant exhale inhale breathe snore sneeze hiccup clear throat yawn whistle
    hum sing
    cheer applaud clap applause laughter chatter chattering music song theme sting fanfare silence static
    door slam creak knock bell ring chime buzz beep alarm siren phone cellphone telephone vibrate click
    clatter
    clank thud bang crash boom explosion explode gunshot gunfire fire thunder rain wind rumble roar growl
    bark meow
    chirp footstep engine car horn honk tire screech splash water glass shatter break rustle scoff snicker
    snort
    squeal wail weep stammer stutter speak continue stop fade play indistinct inaudible
    foreign language crowd audience distant muffled gulp swallow tut hiss howl squeak thump tap rattle drum
    drumroll
    groaned chortle cackle guffaw wince smack clink plop pop whoosh swish hoot caw crow quack neigh moo purr
    wheeze
    gurgle burp belch fart kiss slurp munch sip chomp retch vomit gag choke hush shush bleep blip zap ping
    whirr whir
    heartbeat commotion clamor clamour ambience sfx bgm noise noises sound sounds overlap chant chatters
    babble
    """
)
"""One of these between brackets makes the brackets a description of a sound; so does a word on -ing."""

NO_SOUND_WORDS = _words(
    "nothing something anything everything morning evening during spring string ring-a-ding darling"
)

SOUNDS = Words(
    """
    risa risas ri rie rien riendo risita* risotada* carcajada* musica* suspir* llora lloran llorando llanto*
    solloz*
    grita gritan gritando grito gritos chill* tose tosen tos tosiendo aplaus* susurr* murmur* jadea jadean
    gime gimen gemid*
    grune grunen grunido* bostez* estornud* ronc* silba silban silbid* tartamud* puerta* timbre* telefono*
    movil campan* disparo* explosi* ladra ladran ladrid* pasos
    sirena* trueno* golpe* motor* bocina* silencio* canta cantan cantando canto cancion* zumb* chirri*
    olfate* tararea*
    suena suenan sonido* ruido* relinch* maull* eruct* jadeo*
    rire rires rit rient ricane* glouss* musique* soupir* pleur* sanglot* sangl* cri cris crie crient hurle
    hurlent hurlement* tousse* toux
    applaudi* murmur* chuchot* halet* gemi* grogn* baill* eternue* ronfl* siffl* begaie* porte sonnerie*
    sonne sonnent
    telephone* cloche* tir tirs explosi* aboi* pas sirene* tonnerre coup coups moteur* klaxon* silence
    chante* chanson*
    bourdonn* grinc* renifl* fredonn* bruit* sonore* detonation* brouhaha acclam*
    lachen lacht lachend lacheln lachelt gelacht* gelach kichert kichern gekicher kicher* musik* seufz*
    weint weinen schluchz* schrei* kreisch* hust* raeusper* rausper*
    applaus* klatsch* flust* fluest* murmel* keuch* stohn* stoehn* achz* knurr* gahn* nies* schnarch* pfeif*
    stotter* tur
    tuer turen klopf* klingel* klingelt telefon* handy glocke* schuss schusse explosion* bell bellt bellen
    schritte sirene*
    donner* knall* motor* hupe* hup* stille singt singen gesang lied lieder summt summen quietsch* schnief*
    gerausch* jubel*
    prust* rauscht schnauf* schnaub* atmet schluck* geschrei gemurmel gefluster gejubel
    ride ridono ridendo risat* ridacch* sospir* piange piangono pianto singhioz* urla urlano urlo grida
    gridano strill*
    tossisce tossiscono tosse applaus* sussurr* mormor* ansim* geme gemono gemito gemiti grugn* sbadigl*
    starnut* russa russano
    fischi* balbett* porta* bussa* bussano squill* campanell* spar spari sparo esplosion* abbai* passi
    sirena* tuono tuoni
    colpo colpi motore* clacson silenzio canta cantano canzon* ronzi* cigol* rumor* suon* schiocc*
    risos riso risada* gargalh* rindo suspir* chora* choro solu* grita* grito* tosse* tossindo aplaus*
    sussurr* cochich*
    murmur* ofeg*  gemem gemid* gemendo grunh* bocej* espirr* ronc* assobi* gaguej* campainha* toca tocando
    tiro tiros
    disparos explos*  latid* latindo passos sirene* trovao trovoada batida* buzina* motor silencio canta*
    zumbid*
     ruido* barulho* som  funga*
    lacht lachend gelach giechel* grinnik* muziek* zucht* huil* snik* schreeuw*  gilt gillen hoest* applaus*
    applaudis*
    fluister* mompel* hijg* kreun* grom* gaapt geeuwt niest snurk* fluit* stotter* deur* klopft klopfen
    klopt geklop* klepani  gaat telefoon* schot
    schoten explosie* blaft* geblaf voetstap* sirene* donder* knal* motor* toeter* stilte zing* liedje neurie*
    skratt* fniss* suck* grat* snyft* skrik* skrek hosta* applad* viska* mumla* flas* stonar stonan* morra*
    gaspar nyser
    snark* vissl* dorr* knack* ringer ringsign* skott* explosion* skall* fotsteg  siren* aska dunder*  motor*
    tutar tystnad sjung*  sorl latter latteren ler griner fnise* fniser sukk* grater graeder rab*   hvisk*
    hoster nynner bifald bank* dorklok* skud smaeld* musikk* torden knurrer gisper stonner nyser
    naura* hymahta* kikat* musiik* huoka* itke* nyyhk* huuta* kilju* yski* aplod* kuiska* mutise* huoht*
    voihki*
    haukot* aivast* kuorsa* vihel* ovi ovikello* koputus* puhelin* laukau* rajahd* haukku* askel* sireen*
    ukko* hiljai*
    laula* musiikki*
    smiech* smiej* chichot* chichoc* muzyk* wzdych* westchn* placz* placze szloch*  krzyk* krzycz* wrzesz*
    wrzask*
    kaszel* kaszl* oklask* brawa szept* szepcz* mamrocz* mrucz* dysz* sapie jecz* jek jeki warcz* ziew*
    kichert kichern gekicher chrap* gwizd*
    jaka* drzwi pukan* puka dzwon* telefon* strzal* wybuch* eksploz* szczek* kroki syren* grzmot* huk
    trzask* silnik* klakson
    cisz* spiew* piosenk* nuci* brzecz* skrzyp* pociaga halas* odglos* dzwiek* gwar
    smich* smej* chichot* hudb* vzdych* povzdech* vzdech* plac placou place vzlyk* krik* krici kric* jecí
    kasel* kasl*
    potlesk* septa septaji sepot mumla* supi* oddech* stena stenani vrc* ziva zivaji kych* chrap* piska*
    hvizd* kokta* dver* klep* zvon* telefon* strel*
    vystrel* vybuch* exploz* steka* kroky siren* hrom*  motor* troub* ticho zpiv* pisn* brouk* bzuc* vrza*
    hluk* zvuk*
    nevet* kuncog* vihog* zene zenej* sohaj*  sirnak siras* zokog* kialt* kiabal* orditt* ordit* sikit*
    sikoly* kohog*
    taps* suttog* motyog* zihal* liheg* nyog* morog* asit* tusszen* horkol* futty* dadog* ajto* kopog*
    cseng* csengo*
    telefon* loves* robban* ugat* lepes* szirena* dorg* csattan* motor* dudal* csend enekel* enek dal* zug*
    nyikor*
    guler guluyor gulus* gulme* gulerek kikird* kahkaha* muzik* muzig* iccek* iç cek* aglar aglama* agliyor*
    hickir*
    bagir* ciglik* oksur* alkis* fisild* fisil* mirild* solu* soluk* inler inle* inilti* hirla* esne*
    hapsir* horul* horla*
    islik* kekele* kapi kapinin zil zili calar caliyor telefon* silah* patlama* havla* ayak* siren* gok
    gurult* motor*
    korna* sessiz* sarki* mirilda* vizil* gicir* nefes*
    смех* смее* смеё* хихик* хохо* хохоч* усмех* музык* вздых* вздох* плач* плак* рыда* всхлип* крик* крич*
    вопл* вопит* визг*
    визж* кашел* кашля* покашл* аплодис* шепч* шепот* шёпот* бормоч* ворч* тяжело дыш* дыхан* стон* рыч*
    зева* чих* чиха* храп*
    свист* заика* двер* стук* стуч* звон* звук* телефон* выстрел* взрыв*  лай лает шаги сирен* гром гремит
    грохот* хлоп*
    двигател* мотор* гудок* гудит сигнал* тишин* поет поёт поют песн* напева* жужж* скрип* шмыг* шум* гул
    ликован* овац*
    сміх* смієт* музик* зітх* плач* крич* крик* кашл* кашел* оплеск* шепоч* шепіт* стогн* двері* стук*
    дзвін* дзвон* постріл*
    вибух* гавк* кроки грім* співа* пісн* тиша
    γελ* μουσικ* αναστεν* κλαι* κλαμα* λυγμ* φωναζ* φωνες ουρλια* κραυγ* βηχ* χειροκρ* ψιθυρ* μουρμουρ*
    λαχαν* βογκ* χασμουρ*
    φτερν* ροχαλ* σφυρ* πορτα* χτυπ* κουδουν* τηλεφων* πυροβολ* εκρηξ* γαβγι* βηματα* σειρηνα* βροντ* κορνα*
    σιωπη* τραγουδ*
    ضحك* يضحك* تضحك* ضحكات* قهقه* موسيق* تنهد* يتنهد* تتنهد* تنهيد* بكاء* يبكي* تبكي* نحيب* صراخ* يصرخ*
    تصرخ* صرخة* سعال* يسعل* تسعل*
    تصفيق* همس* يهمس* تهمس* لهاث* يلهث* تلهث* أنين* يئن* تئن* شخير* صفير* باب* الباب* طرق* رنين* يرن* هاتف*
    الهاتف* جرس* طلق* انفجار* نباح*
    خطوات* صفارة* رعد* صمت* يغني* تغني* غناء* أغنية* صوت* اصوات* أصوات*
    צחוק* צוחק* מצחקק* מוזיק* מוסיק* נאנח* אנחה* אנחות* בוכה* בוכים* בכי* מתייפח* צועק* צעקה* צעקות* צרח*
    צורח* משתעל* שיעול* מחיאות*
    לוחש* לחישה* ממלמל* מתנשף* מתנשפת* נוהם* מפהק* מתעטש* נוחר* שורק* דלת* דפיק* טלפון* צלצול* פעמון* ירייה*
    יריות* פיצוץ* נביח* צעדים*
    סירנה* רעם*  שר שרה שירה*
    carraspe*
    हँस* हंस* संगीत* रोत* रोन* सिसक* चीख* खाँस* खांस* तालिया* फुसफुस* आह दरवाज* धमाक* गोली*
    خنده* می‌خند* میخند* موسیقی* گریه* گریه‌* می‌گری* فریاد* سرفه* تشویق* زمزمه* نجوا* آه می‌کش*
    smije* smijeh smeh smeje* glazb* muzik* uzdis* uzdah* uzdise* vrist* kaslj* pljes* aplauz* sapce* sapuc*
    смях* смее* музик* въздиш* въздъх* плаче* вика* кашля* шепне* шепти* аплодис* стене*
    naerab naera* ohkab ohka* muusika* nutab nutma karju* koputus* smejas muzika* nopus* raud* juokia* muzika*
    tumatawa umiiyak sumisigaw bumubulong musika hiningi ketawa menangis berbisik musik
    cuoi nhac khoc het   vo tay thi tham tieng cua dien thoai chuong sung
    tertawa* tawa musik menghela* mendesah* menangis* tangis* berteriak* teriak* batuk* tepuk* berbisik*
    bisik* bergumam*
    terengah* mengerang* menguap* bersin* mendengkur* bersiul* pintu* ketukan* telepon* dering* tembakan*
    ledakan*
    gonggong* langkah* sirene* guntur* hening* menyanyi* bernyanyi* lagu* suara*
       rade* muzic* ofteaz* plange plang* strig* tuse* aplauz* sopt* gafai* geme    telefon* impusc*
    explozi* latra* pasi
    """
)
"""Sounds and voices as captions of many languages describe them."""

MANNERS = Words(
    """
    v.o. vo v/o v.o o.s. os o/s o.s o.c. oc off offscreen off-screen offcamera on-screen cont'd contd cont
    beat pause pa tv
    radio tel phone telephone intercom voiceover voice-over narrating filtered echoing speakers loudspeaker
    headset
    recording video softly quietly loudly angrily mockingly english french german spanish italian russian
    japanese
    chinese mandarin cantonese korean latin arabic hebrew hindi portuguese dutch swedish polish turkish
    greek accent
    continues sarcastically singsong rapping imitating mocking simultaneously inaudibly
    off? leise laut wutend fernseher gedacht gleichzeitig durchsage lautsprecher stimme aus englisch
    franzosisch
    deutsch spanisch italienisch russisch
    tele radio haut-parleur voix-off bas doucement fort pensee anglais francais allemand espagnol italien
    television altavoz ingles frances aleman voz bajo
    televisione altoparlante inglese francese tedesco spagnolo sottovoce pausa
    televisao alto-falante ingles frances alemao
    pauza pause chwila cicho glosno
    тихо громко пауза радио телевизор рация закадр* за кадром иронично шутливо удивленно злобно английск*
    французск* немецк*
    בטלפון ברדיו בטלוויזיה באנגלית בצרפתית ברוסית בערבית בגרמנית בספרדית באיטלקית בעברית ביפנית بال*
    telefonda radyoda sessizce ingilizce fransizca almanca
    """
)
"""How and from where something is said."""

DEVICES = Words(
    """
    tv radio tel phone telephone intercom pa speaker loudspeaker recording voiceover vo voix-off off voz
    en voice over
    fernseher lautsprecher televisor television televisao tele téléphone telefono telefone telefon
    altavoz altoparlante
    televisione телевизор радио телефон рация голос за кадром テレビ
    ラジオ 電話 电视 電視 广播 廣播 电话 画外音 라디오 전화
    텔레비전
    """
)
"""What somebody unnamed is heard through."""

SPEECH_VERBS = Words(
    """
    whisper* shout* yell* mutter* mumbl* murmur* speak* sing singing sings narrat* call* read reads
    reading think*
    continu* stammer* stutter* reply* answers answering ask asks asking on over flust* ruft rufend singt
    spricht liest
    denkt schreit fluest* chuchot* murmur* crie criant parle parlant chante chantant lit susurr* grita
    gritando habla
    hablando canta cantando piensa sussurr* grida gridando parla parlando canta cantando pensa sussurr*
    gritando falando
    fala cantando fluister* roept zingt spreekt viskar ropar sjunger talar szept* szepcze krzyczy mowi
    spiewa septa krici
    mluvi suttog* kiabal* enekel beszel fisild* bagir* konus* шепч* шеп* крич* говор* поет поёт читает
    думает шепоч*
    ψιθυρ* φωναζ* μιλα*
    """
)
"""Ways of speaking: behind a name they tell how, and the words are said by the one named."""

MANNER_PREPOSITIONS = Words(
    """
    in on over through from via to at under into by with off
    auf im am aus uber durch ins zu mit vom
    en au aux par dans a sur avec
    por al con desde
    alla al in da dalla per
    no na ao pelo pela em com
    op via door over met tegen
    pa i genom till fra fran over via
    po w przez do z na
    v ve do z na
    по на в во с со из через за у від через з
    στα στο στη στην με από
    على في عبر من
    trên qua bằng di ke dalam melalui dari به از در با روی
    """
)

CJK_MANNER = re.compile(
    r".{0,10}(?:語で|语|語|言葉で|電話(?:で|で話)?|电话(?:里|中)?|電話(?:裡|中)|广播|廣播|テレビ|電視|电视"
    r"|ラジオ|無線|无线电|小声(?:で)?|"
    r"小聲|大声(?:で)?|低声(?:で)?|轻声|輕聲|耳语|耳語|ささや(?:き|いて|く)|心の声|内心|獨白|独白|モノローグ"
    r"|回想|画外音|畫外音|スピーカー|"
    r"館内放送|放送|アナウンス|영어로|일본어로|한국어로|프랑스어로|중국어로|독일어로|전화(?:로|에서)?|라디오"
    r"|텔레비전|속삭이며|작게|(?:한국|일본|중국|영|독일|불|프랑스|스페인|러시아|외국)어(?:로)?|"
    r"同時に|一緒に|字幕|テロップ|小さく|独り言|[ぁ-ん一-龯]{1,6}(?:声で|語で|口調で|ながら|様子で))"
)
"""A manner in Japanese, Chinese and Korean."""

INDIC_MANNER = re.compile(r".*\s(?:हुए|हुई|में|से|পরে|করে|ভাষায়)")
"""A manner in Hindi and Bengali: the word that ends it tells."""

THAI_SOUND = re.compile(
    r"หัวเราะ|เสียง|ดนตรี|เพลง|ถอนหายใจ|ร้องไห้|สะอื้น|ตะโกน|กรีดร้อง|^ไอ|ปรบมือ|กระซิบ|ประตู|โทรศัพท์|ปืน"
    r"|ระเบิด|เห่า|หอบ|กรน|หาว"
)
