-- Why a day's budget (UTC), the provider's or the owner's, has no room for an estimate; null when it
-- has. What is spent is back at midnight; what calls in flight have reserved may be sooner.
-- depends: 0007_gates money_out_v1

CREATE FUNCTION darkroom_ask_budget_v1(
    of_provider text, of_owner integer, estimate numeric, rules jsonb, job bigint, at timestamptz
)
    RETURNS darkroom_refusal
    LANGUAGE plpgsql
AS $$
DECLARE
    day_ends timestamptz := date_trunc('day', at, 'UTC') + interval '1 day';
    -- Those who come back do not all do so at once.
    spread interval := mod(job, 100) * interval '0.1 s';
    today record;
    budget numeric;
    out numeric;
    spent numeric;
    gate text;
BEGIN
    IF rules ->> 'budget' IS NULL AND rules ->> 'budget_per_owner' IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO today FROM darkroom_money_out_v1(of_provider, of_owner, at);
    FOR gate, budget, spent, out IN VALUES
        (
            of_provider, (rules ->> 'budget')::numeric, today.spent, today.spent + today.reserved
        ),
        (
            'owner ' || of_owner, (rules ->> 'budget_per_owner')::numeric, today.owner_spent,
            today.owner_spent + today.owner_reserved
        )
    LOOP
        IF out + estimate > budget THEN
            RETURN (
                'budget', gate,
                spread + CASE
                    WHEN spent + estimate > budget THEN day_ends
                    ELSE least(at + interval '10 s', day_ends)
                END,
                CASE WHEN spent + estimate > budget THEN 'spent' ELSE 'reserved' END,
                jsonb_build_object(
                    'spent', trim_scale(spent)::text, 'budget', trim_scale(budget)::text
                )
            )::darkroom_refusal;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
