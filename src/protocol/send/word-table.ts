/**
 * The words of codes: a table.
 *
 * 2,048 English words of 3 to 8 letters, in order, chosen so that they can be told from each other when heard or copied: the first four letters are different from any other's,
 * and so is the sound. The rule itself is `test/support/speech.ts`, checked for every pair. The list is part of the protocol only in so far as both ends know the same
 * words: the text of a code is what counts, not the numbers of its words.
 * @module
 */

const TABLE = `
abacus abdomen ability about abrupt absence absorb abstract abundant academy accent acclaim accolade
accuracy achieve acidic acorn acrobat acrylic active actual adapt adhesive adjacent adjourn adjust
admiral adrift adult advance adverb advice advocate aerial aerosol after agency agitate airbag
aircraft airfield airlift airmail airplane airspace airtight ajar alarm album alchemy alcove alfalfa
alfresco algae align alkali allergy allspice almanac almost alpaca alphabet already although alumni
always amateur amazing ambition amplify amulet analyst anatomy anchovy android anecdote angora annex
another answer antelope antique antler anvil anxious anything anyway apart apathy aperture apology
apparel appendix approve apricot aptitude aquarium aqueduct arbor arcade archer arctic arena
argument armada armband armchair armful armory armrest aromatic arrow article ascot asleep aspen
asphalt aspirin assemble assist assorted asteroid astound astral athletic atlantic atomic attach
attempt attract auction audience august aurora autobahn avenger average aviation avocado awaken
awesome awkward azalea baboon backward badger baggage bagpipe bakery balance ballroom balsamic
bamboo banister banquet banyan barefoot bargain barista bark barley barnacle barrier basalt baseball
bashful basic bastion bathrobe bearded bedbug bedpost bedroom bedside beechnut beeswax beetle before
befriend beginner behave behind believe beloved benefit bergamot between beverage biathlon bicycle
bifocal bigfoot bilberry billow bingo birdcage birthday biscuit bistro blackcap blanket blender
blimp blindly blizzard blossom blowfish bluebell blur bobcat bobsled bodkin boldness bonanza
bookmark border borough botanist bottom boundary boxcar boxful boxwood bracelet brambles bravery
breadbox brisket brocade broker bronco brown buckskin buffalo buggy buildup bulb bulkhead bullfrog
bulrush bumper bundle bungalow bunting burgundy burlap burnish bushel business busker buzzard bypass
cabbage cabinet caboose cactus cadet calculus calendar calf calico calorie campfire camshaft canary
cancel canopy canyon capable capstan capture caramel cardigan careful carload carnival carpool
carriage carsick cascade cashmere casino castaway casual catapult catbird catch caterer catfish
catwalk cauldron cavalry cavern cedar celsius cement census central ceramic certify chairman chalet
champion channel chapter charisma chase checkers cheetah chemical cherish chestnut chevron chickpea
china chipmunk chisel chivalry chlorine chowder chromium chutney cicada circle citadel citizen
citrus civic clambake clarinet classic cleft clench clinic clipper closet clover clumsy cluster
coalmine cobalt cobra cobweb cockatoo coconut cogwheel coherent coincide coleslaw college comeback
comfort command computer comrade concrete conduct confirm congress conifer connect consult contract
convince cookbook copycat cordial corner coronet corporal corsage cosmos costume coupon courtesy
crank cravat crayon crescent cribbage cricket crimson crinkle crisp crocus crossbar crumble crunch
crust cryptic crystal cubicle cucumber cuddly cufflink culinary culprit culture cupboard cupcake
cupful cupola curator curl cursive curtain cushion custard cutback cutlery cyclops cylinder cypress
dabchick daffodil damson danish dapper darkroom darling database dateline daydream daylily decanter
december decimal declare decode decrease deduce deficit deflate defrost delegate deliver deluge
demeanor dentist deny depend deploy deposit depth deputy describe deserve designer desktop despite
destiny detach detect develop devotion dewdrop diadem diagonal diamond diatonic digest dignity
dilemma diligent dinosaur diploma director discover disguise dislike display disrupt distant
dividend doctor document dodo dolphin domestic domino doorstep dopamine dormant dotted downwind
dozen dragon drama drastic drawback dresser drink driveway drizzle droplets drummer duckling
dulcimer dumbbell duplex durable dustbin dutiful dwindle dynasty eagerly eardrum earlobe earmark
earnest earplug earshot earthen echo eclipse ecology economy editor educate effort eggplant eggshell
eggwhite elastic elbow elderly electron element elephant eleven elixir ellipsis elongate eloquent
email embassy emblem embrace emerald emperor emphasis employ emporium enamel enchant encircle
enclose endgame endive endless endorse energy engage engrave engulf enhance enigma enlarge enormous
ensemble ensign entrance envelope envision epic episode equator equip escalate essence estimate
estuary eternal event everyone evidence evoke exact example excavate exchange exclaim excuse exempt
exercise exhale exhibit exist exotic expand expedite expire explore export express extend extra
exult eyebrow eyeglass eyelash eyepiece eyesore fable fabric fabulous facelift facility fact faculty
fairway faith falconry false famous fanciful fandango fanfare fanlight fantasy farewell farmland
farthing fathom fearless feather february feedback feminine ferryman fervent festival fidelity
fiesta fifteen figure filament finance finish firework firm fiscal fishbowl fitness fixate fixture
flagship flamingo flannel flapjack flask flatfish flax fleet flexible flicker flimsy flipside flock
floral flotilla flourish fluent fluffy flutter flyer flyover flywheel focal focus foghorn foil
folklore followup fondly football force forehead forgive forklift format fortify foster fountain
fourteen foxglove foxhound foxtrot fracture fragile frankly freckle freeform frequent freshen
friction friday frigate fringe frisbee frogman frolic frosted frozen frying fullness funny further
galaxy gallon gambit gander gangly gargle garland garment garrison gasoline gavel gearbox gemstone
generous genius gentle genuine geology geometry geranium gesture gift gigantic giggle gimlet ginseng
giraffe given gizmo gladioli gland glass glimpse glisten global glossary goblin godson goggles
goldfish gondola gossip governor graduate grammar granola grateful gravy greet gremlin griffin
grizzly grocery group guffaw guidance guitar gumball gumdrop guppy gymnast gypsum habitat haggle
hairband halfback halibut hallmark halogen halter hammock hamper hamster handbag happy hardwood
harmony harness harpoon harvest hasten hatbox hatchery hatpin hawthorn hayfield hayloft hayride
haystack hazelnut headwind healthy hearsay heatwave hedgerow hefty helium helmet helpful henhouse
heptagon herald herbal heritage heron hesitate hexagon hibiscus hiccup hickory hideaway highway
hilltop historic hoax hobbyist holiday holly hologram holster homage homework homonym honest hoopla
hooray hopeful hopper horizon hornet horsefly hosiery hotcake hotdog hotplate hound housecat however
hubbub huddle huge humdrum humility humpback hundred hungry hunter hurdles husky hybrid hydrant
hyena iceberg icecap iceman ideal identify ignition ignore illusion imagine imitate immunity impish
import improve impulse inaction inch increase incubate index indirect indulge infinite influx inform
infrared ingot inhabit inherent initial inject inkstand innocent inscribe insert inspect instead
insulate intact interior into intrigue inventor invite invoice inward iris ironclad islander islet
italic itself ivy jackpot jaguar jalapeno jalopy janitor january jarful jasmine jasper javelin
jaybird jeep jelly jersey jetlag jigsaw jockey jonquil journal joyride jubilee juggler jukebox jumbo
jumpsuit junction juniper junkyard juror justice jute kangaroo kayak keen keepsake kelp kennel
kestrel ketchup keycard keyhole keynote keypad kickoff kidney kilogram kimono kindred kinetic
kinfolk kingdom kinship kiosk kiwi kneecap krypton kumquat label labrador lacework lacrosse lactic
ladle ladybug lagoon lamppost lance landfill language lanky lanolin lantern lapwing larder large
lasagna lasso lasting latex latitude laundry lava lavender lavish layer layout leader leapfrog
learner lecture leeway leftover legacy legend leggings legible lemming lemonade length lentil
leopard leveret levitate lexicon library lifetime liftoff likable lilac limerick limpet lineman
linger liquid listener literal lively lobster location lockbox lofty logic logo lollipop lonely
longhand loop lopsided lotus lounge lovebird loyal lozenge luggage lukewarm lullaby luminous lumpy
lunar lunchbox luxury lyric macaroni macrame magazine magician magnify magpie mahogany mailman
mainstay majestic majority makeover mallard manager mandolin mangrove manhole mansion mantis
marathon marble margin marigold market maroon marquee mars marvel marzipan mascara mastiff matador
matchbox material matrix maximum maybe mayoral mechanic megabyte melodic member memento memory meow
merchant meringue mermaid message metaphor method metric midland midnight midpoint midsize midterm
midwife mighty mild milkmaid mimicry mimosa mindful mineral mingle minimum miracle mirror mischief
miser misplace mission mistake mitigate mobile mocha modest modular moist molar molecule mollusk
momentum monarch mongoose monitor monkey monotone monster montage monument moonbeam moorland morsel
mortar mosaic mosquito mothball motorist muffle mulberry mulch multiply mumble murmur mushroom
musical muslin mutual myrtle myself mystery mythical namesake napkin narrate narwhal nature nautical
navigate navy nebulous necklace nectar neptune nerve nestling network neutral newborn newcomer
newscast next nickel nightjar nimbus nineteen ninja nitrogen nobody nocturne nomad nonsense northern
nostril notable notebook notify nourish november novice nowhere nugget numeric nursery nuthatch
nutmeg nutrient nutshell nylon oarsman oasis oatmeal obelisk object oblige oblong oboe obscure
observe obstacle obtain obvious oceanic ocelot octagon october odometer offshoot often oilcan
oilskin ointment okra oldest olympic omega omnibus onion onstage opal opinion opossum optimist
opulent oracle orange orbital orca orchard ordinary oregano organism original ornament osmosis
osprey ostrich other ottoman ounce outfield outgoing outline outpost outsmart ovenware overcoat
oxbow oxen oxford oxygen ozone pacific paddock pageant pagoda painless palomino palpable pamphlet
pancake panda panorama pansy pantheon papaya paprika paradox parcel pardon parental parsnip partner
passport pastel paternal pathway patrol pattern pavement pavlova payback peacock peculiar peddler
pedigree peekaboo pegboard pelican pendulum penknife pennant pension pentagon pepper percent perform
perhaps person pharmacy pheasant phoenix phonetic physics pianist piccolo pickaxe picnic pigeon
piglet pigment pigpen pigtail pilchard pillbox pinafore pinball pinecone pinhole pinpoint pipeline
pitch pitfall pixel pizza placid plankton plaster platinum playful plaza pleasure pliers plimsoll
plumage plunger plywood podcast polarity polka polymer pomelo pompom poncho popcorn popular portable
positive postcard potato potent potluck potpie potshot pottery poultry practice prairie prance
prattle precious predict prefix prelude premium prepare prestige pretzel prevent prickly primary
priority prism privacy probable proclaim produce profile progress project prolong prompt property
prosper protocol proverb proxy public puffin pullover puma pumice pumpkin punctual puppet purchase
purity purple pushup puzzle pyramid quail quality quantity quarry quasar quaver question quicken
quilting quince quirky quorum quota racecar radish raft ragtime railroad raincoat raisin rally
rambler ramekin rampart random ranger rapids raptor rare raspy rather ratify rattler ravioli razor
react readily realign rearview rebirth rebuild recall receive recharge recital recluse recover
recruit redbird redcoat reef refinery reflect refresh refuge register regular rehash rehearse
reindeer reject rejoice relax relish relocate remain remember remove renovate repeat replace
reporter reprint reptile request rescue resemble resist resort respect restore retina retreat return
reusable revamp revelry revival revolve reward rewind rhino ribbon ribcage rickshaw rigatoni
rightful ringside rinse ripple ritzy riverbed roadster robotic robust rockery rodeo rollback romance
ropeway rosemary rotate rotor rotunda roundup rowlock royalty rubbish rubric rucksack rugby ruler
rumba rural russet rustic sadness safari saffron saga sailor salami salesman salmon salsa salt
salvage sampan samurai sandwich sapling sapphire sardine sari satchel satisfy satsuma saturn saucer
sausage sawdust sawhorse sawmill scabbard scaffold scallop scamper scan scarlet scatter scenario
schedule schooner scissors scoop scorpion scramble screech script scruple sculptor seafarer seagull
search seasonal seaweed second secret section sediment seedling seldom select seltzer semantic
semester sensible sentinel separate sequence serenade serpent sesame setup seventy sextant shaggy
shamrock shanty sharp sheepdog shelter shepherd sherbet shipment shoehorn shopping shortcut shovel
showcase shrimp shrug shutout sidewalk signal silence silkworm silver similar simplify simulate
sincere sinew siren sirloin sister sixteen sizzle sketchy skillet skipper skirmish skittles skunk
skydive skylark slalom sleeve slipknot slogan slump slush smart smoothie snack snapshot sneeze
snippet snooker snorkel snowball snuggle soapbox soccer society sodium sofa softball sojourn solder
solitude solo solstice solution sombrero somehow sonata soprano sorbet sorghum southern space
spaniel sparkle spatula special speedway spend sphinx spider spiffy spigot spinach spiral splash
splendid splice spoke sponsor spotless sprinkle sprocket squadron squeeze squirrel stable stadium
stamp standard stapler stargaze stature steady steerage stellar steward sticker stilt stingray
stirrup stitch stomach stopcock stork strange strength strict strong strudel stubborn stucco student
stuff stumble stunning stylus submit subsist subtract suburb subway sugar suggest suitcase summon
sunburn sundry sunfish sunken sunlit sunroof sunspot superior supply surface surmount surprise
survive sushi suspense sustain swagger swarm swath swift swimsuit swirl swivel sycamore syllable
symbolic sympathy syndrome synonym syntax tablet tabular tactile tadpole tailspin talcum talent
tamarind tandem tangram tanker tapestry tapioca target tartan task tassel taxicab teacake teamster
teardrop teaspoon telegram template tenfold tentacle termite terrapin textbook thankful thermal
thimble think thirty this three thrifty thrush thursday tiara tiger timeless timpani tinkle tinsmith
tissue toboggan toddler toenail toffee together toggle tolerate tomato tomcat tomorrow toolshed
topaz topknot topsoil torch toreador torrent tortoise toucan tourism toward tower township toy trace
traffic trailer trample transit trapeze treetop trellis tribute triceps trident trigger trilogy
trinket triplet trolley trombone tropical trousers trumpet trundle trustee truth tuesday tugboat
tuition tulip tumbler tundra turbo turkey turmeric turnip turtle tuxedo tweezers twelve twig
twilight twister typical ultimate ultra umbrella unable unafraid unbroken uncle uncover underdog
unhook unicorn universe unknown unlace unlike unload unplug unravel unroll untangle untidy untold
untrue unusual unwrap unzip upcoming upgrade uphold upkeep uplift upstairs uptight upturn upwind
urban urchin urgency usage useful utensil utilize utopia vacant validate valuable vanguard vanilla
vanquish variable varnish varsity vegan vehicle velocity velvet vendor venison verbena verdict
verify versus vertical vestige veteran veto viaduct vibrant vicarage victory vigilant village
vinegar vintage virtual visible visual vitamin volcano volition voltage volume vortex voucher voyage
waffle wakeful walnut walrus waltz warbler wardrobe warmth warning warrant warthog washroom wasp
watchman water waxwing waxy webbing weekend welcome western wetsuit whenever whimsy whisker width
wigwam wildlife windmill wingspan winner winsome wireless wisdom wishbone withdraw wizard wolf
wombat woodland woozy wordplay workshop worldly worm worthy wrestler yam yearling yeast yell yoga
yokel yourself youth yoyo yuletide zenith zigzag
`;

/** In alphabetical order. */
export const WORDS: readonly string[] = TABLE.trim().split(/\s+/);
