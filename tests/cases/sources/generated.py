"""Transformer of case.map.

Written by fhirmap 0.1.0: change the map and compile it again.
Digest of its texts: 0c81669477518e047c7c92684854686dd143c81b2ec1f58890563f84dd96e081
"""

from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.context import Run, check_failed
from fhirmap.runtime.lists import counted, discard, only_one
from fhirmap.runtime.nodes import assign, of_types

# Filled at the end: line of this module -> place in the map.
MARKS = {}
_types_1 = fp.TypeTable({'Address': {'id': 'string', 'extension': 'Extension', 'use': 'code'}, 'Age': {'id': 'string', 'extension': 'Extension', 'value': 'decimal'}, 'Annotation': {'id': 'string', 'extension': 'Extension'}, 'Attachment': {'id': 'string', 'extension': 'Extension'}, 'CodeableConcept': {'id': 'string', 'extension': 'Extension'}, 'Coding': {'id': 'string', 'extension': 'Extension'}, 'ContactDetail': {'id': 'string', 'extension': 'Extension', 'name': 'string'}, 'ContactPoint': {'id': 'string', 'extension': 'Extension', 'value': 'string', 'use': 'code'}, 'Contributor': {'id': 'string', 'extension': 'Extension', 'name': 'string', 'contact': 'ContactDetail'}, 'Count': {'id': 'string', 'extension': 'Extension', 'value': 'decimal'}, 'DataRequirement': {'id': 'string', 'extension': 'Extension'}, 'Distance': {'id': 'string', 'extension': 'Extension', 'value': 'decimal'}, 'Dosage': {'id': 'string', 'extension': 'Extension'}, 'Duration': {'id': 'string', 'extension': 'Extension', 'value': 'decimal'}, 'Expression': {'id': 'string', 'extension': 'Extension', 'name': 'id'}, 'Extension': {'id': 'string', 'extension': 'Extension', 'value': ('base64Binary', 'boolean', 'canonical', 'code', 'date', 'dateTime', 'decimal', 'id', 'instant', 'integer', 'markdown', 'oid', 'positiveInt', 'string', 'time', 'unsignedInt', 'uri', 'url', 'uuid', 'Address', 'Age', 'Annotation', 'Attachment', 'CodeableConcept', 'Coding', 'ContactPoint', 'Count', 'Distance', 'Duration', 'HumanName', 'Identifier', 'Money', 'Period', 'Quantity', 'Range', 'Ratio', 'Reference', 'SampledData', 'Signature', 'Timing', 'ContactDetail', 'Contributor', 'DataRequirement', 'Expression', 'ParameterDefinition', 'RelatedArtifact', 'TriggerDefinition', 'UsageContext', 'Dosage', 'Meta')}, 'HumanName': {'id': 'string', 'extension': 'Extension', 'use': 'code', 'family': 'string', 'given': 'string'}, 'Identifier': {'id': 'string', 'extension': 'Extension', 'use': 'code', 'value': 'string'}, 'Meta': {'id': 'string', 'extension': 'Extension'}, 'Money': {'id': 'string', 'extension': 'Extension', 'value': 'decimal'}, 'ParameterDefinition': {'id': 'string', 'extension': 'Extension', 'name': 'code', 'use': 'code'}, 'Patient': {'id': 'id', 'extension': 'Extension', 'identifier': 'Identifier', 'name': 'HumanName', 'gender': 'code', 'birthDate': 'date', 'deceased': ('boolean', 'dateTime'), 'contact': 'Patient.contact'}, 'Patient.contact': {'id': 'string', 'extension': 'Extension', 'name': 'HumanName', 'gender': 'code'}, 'Period': {'id': 'string', 'extension': 'Extension'}, 'Quantity': {'id': 'string', 'extension': 'Extension', 'value': 'decimal'}, 'Range': {'id': 'string', 'extension': 'Extension'}, 'Ratio': {'id': 'string', 'extension': 'Extension'}, 'Reference': {'id': 'string', 'extension': 'Extension', 'identifier': 'Identifier'}, 'RelatedArtifact': {'id': 'string', 'extension': 'Extension'}, 'SampledData': {'id': 'string', 'extension': 'Extension'}, 'Signature': {'id': 'string', 'extension': 'Extension'}, 'Timing': {'id': 'string', 'extension': 'Extension'}, 'TriggerDefinition': {'id': 'string', 'extension': 'Extension', 'name': 'string'}, 'UsageContext': {'id': 'string', 'extension': 'Extension', 'value': ('CodeableConcept', 'Quantity', 'Range', 'Reference')}}, {'Address': 'Element', 'Age': 'Quantity', 'Quantity': 'Element', 'Annotation': 'Element', 'Attachment': 'Element', 'CodeableConcept': 'Element', 'Coding': 'Element', 'ContactDetail': 'Element', 'ContactPoint': 'Element', 'Contributor': 'Element', 'Count': 'Quantity', 'DataRequirement': 'Element', 'Distance': 'Quantity', 'Dosage': 'BackboneElement', 'BackboneElement': 'Element', 'Duration': 'Quantity', 'Expression': 'Element', 'Extension': 'Element', 'HumanName': 'Element', 'Identifier': 'Element', 'Meta': 'Element', 'Money': 'Element', 'ParameterDefinition': 'Element', 'Patient': 'DomainResource', 'DomainResource': 'Resource', 'Patient.contact': 'BackboneElement', 'Period': 'Element', 'Range': 'Element', 'Ratio': 'Element', 'Reference': 'Element', 'RelatedArtifact': 'Element', 'SampledData': 'Element', 'Signature': 'Element', 'Timing': 'BackboneElement', 'TriggerDefinition': 'Element', 'UsageContext': 'Element'})
# Element of the result -> rule that makes it, source columns.
PLACES = {
    'Basic.extension': ('case.map:9:47', ()),
    'Basic.extension.url': ('case.map:9:67', ()),
    'Basic.extension.value[x]': ('case.map:9:84', ()),
}


def constant_both(run):
    """let both  case.map:6"""
    return 'n:' + 'x'


def sources(src, tgt, run):
    """group sources(source src : Patient, target tgt : Basic)  case.map:8"""
    tgt_extension = tgt.get('extension') or []

    # name  (case.map:9)
    try:
        kept = []
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[:1]:
            # family  (case.map:9)
            try:
                for f in fp.child(n, 'family'):
                    e = {'url': 'first'}
                    tgt_extension.append(e)
                    assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-2  (case.map:10)
    try:
        kept = []
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[1:]:
            # family  (case.map:10)
            try:
                for f in fp.child(n, 'family'):
                    e = {'url': 'not_first'}
                    tgt_extension.append(e)
                    assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-3  (case.map:11)
    try:
        kept = []
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[-1:]:
            # family  (case.map:11)
            try:
                for f in fp.child(n, 'family'):
                    e = {'url': 'last'}
                    tgt_extension.append(e)
                    assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-4  (case.map:12)
    try:
        kept = []
        for n in fp.child(src, 'name'):
            kept.append(n)
        for n in kept[:-1]:
            # family  (case.map:12)
            try:
                for f in fp.child(n, 'family'):
                    e = {'url': 'not_last'}
                    tgt_extension.append(e)
                    assign(e, 'value', [f], (('string',), True), False)
            except run.caught as error:
                run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-5  (case.map:13)
    try:
        for n in fp.child(src, 'name'):
            if fp.holds(fp.equal(fp.member([n], 'use'), ['official'])):
                # family  (case.map:13)
                try:
                    for f in fp.child(n, 'family'):
                        e = {'url': 'where'}
                        tgt_extension.append(e)
                        assign(e, 'value', [f], (('string',), True), False)
                except run.caught as error:
                    run.fail(error)
    except run.caught as error:
        run.fail(error)

    # name-6  (case.map:14)
    try:
        for n in fp.child(src, 'name'):
            for g in fp.child(n, 'given'):
                run.note(fp.value(fp.concatenate(['given of '], fp.member([n], 'family'))), 'case.map:14:36')
                e = {'url': 'given'}
                tgt_extension.append(e)
                assign(e, 'value', fp.concatenate(fp.concatenate(fp.member([n], 'family'), [' ']), [g]), (('string',), True), False)
    except run.caught as error:
        run.fail(error)

    # given  (case.map:15)
    try:
        for name in fp.child(src, 'name'):
            for g in fp.child(name, 'given'):
                e = {'url': 'nested'}
                tgt_extension.append(e)
                assign(e, 'value', [g], (('string',), True), False)
    except run.caught as error:
        run.fail(error)

    # deceasedBoolean  (case.map:16)
    try:
        for d in of_types(fp.child(src, 'deceased'), ('boolean',)):
            e = {'url': 'deceased'}
            tgt_extension.append(e)
            assign(e, 'value', [d], (('boolean',), True), False)
    except run.caught as error:
        run.fail(error)

    # deceasedDateTime  (case.map:17)
    try:
        for d in of_types(fp.child(src, 'deceased'), ('dateTime',)):
            e = {'url': 'deceased-at'}
            tgt_extension.append(e)
            assign(e, 'value', [d], (('dateTime',), True), False)
    except run.caught as error:
        run.fail(error)

    # gender  (case.map:18)
    try:
        found = fp.child(src, 'gender')
        if not found:
            found = ['unknown']
        for g in found:
            e = {'url': 'gender'}
            tgt_extension.append(e)
            assign(e, 'value', [g], (('code',), True), False)
    except run.caught as error:
        run.fail(error)

    # birthDate  (case.map:19)
    try:
        for b in fp.child(src, 'birthDate'):
            if not (fp.holds(fp.less([b], fp.today(run.environment)))):
                raise check_failed('$this < today()')
            e = {'url': 'born'}
            tgt_extension.append(e)
            assign(e, 'value', [b], (('date',), True), False)
    except run.caught as error:
        run.fail(error)

    # contact  (case.map:20)
    try:
        for c_2 in counted(list(fp.child(src, 'contact')), 0, 1):
            tgt_extension.append({'url': 'contact', 'valueString': 'one'})
    except run.caught as error:
        run.fail(error)

    # identifier  (case.map:21)
    try:
        kept = []
        for i in fp.child(src, 'identifier'):
            kept.append(i)
        for i in only_one(kept):
            e = {'url': 'identifier'}
            tgt_extension.append(e)
            assign(e, 'value', [i], (('Identifier',), True), False)
    except run.caught as error:
        run.fail(error)

    # rule-14  (case.map:22)
    try:
        e = {'url': 'constant'}
        tgt_extension.append(e)
        e['valueString'] = run.constant('constant_both', constant_both)
    except run.caught as error:
        run.fail(error)

    if tgt_extension:
        tgt['extension'] = tgt_extension


def transform(row, strict=False):
    """One record: what it becomes, with notes and faults; no resource where it is out of scope."""
    run = Run(globals(), strict)
    source = fp.nodes(row, 'Patient', _types_1)[0]
    run.resource = source
    resource = {'resourceType': 'Basic'}
    sources(source, resource, run)
    if len(resource) == 1 and not run.failed:
        return run.nothing()
    return run.result(resource, PLACES)


# From this line on -> where the map says so.
MARKS.update({
    23: 'case.map:6:1',
    28: 'case.map:8:7',
    30: 'case.map:8:1',
    34: 'case.map:9:3',
    40: 'case.map:9:30',
    41: 'case.map:9:47',
    43: 'case.map:9:84',
    51: 'case.map:10:3',
    57: 'case.map:10:34',
    58: 'case.map:10:51',
    60: 'case.map:10:92',
    68: 'case.map:11:3',
    74: 'case.map:11:29',
    75: 'case.map:11:46',
    77: 'case.map:11:82',
    85: 'case.map:12:3',
    91: 'case.map:12:33',
    92: 'case.map:12:50',
    94: 'case.map:12:90',
    102: 'case.map:13:3',
    103: 'case.map:13:24',
    106: 'case.map:13:49',
    107: 'case.map:13:66',
    109: 'case.map:13:103',
    117: 'case.map:14:3',
    118: 'case.map:14:18',
    119: 'case.map:14:36',
    120: 'case.map:14:64',
    122: 'case.map:14:101',
    128: 'case.map:15:3',
    130: 'case.map:15:26',
    132: 'case.map:15:64',
    138: 'case.map:16:3',
    139: 'case.map:16:34',
    141: 'case.map:16:74',
    147: 'case.map:17:3',
    148: 'case.map:17:35',
    150: 'case.map:17:78',
    156: 'case.map:18:3',
    158: 'case.map:18:23',
    159: 'case.map:18:3',
    160: 'case.map:18:42',
    162: 'case.map:18:80',
    168: 'case.map:19:3',
    169: 'case.map:19:29',
    171: 'case.map:19:49',
    173: 'case.map:19:85',
    179: 'case.map:20:3',
    180: 'case.map:20:28',
    186: 'case.map:21:3',
    190: 'case.map:21:35',
    192: 'case.map:21:77',
    198: 'case.map:22:10',
    200: 'case.map:22:50',
    204: 'case.map:8:1',
})
