SELECT reason, count(*) AS trials
FROM outcomes
WHERE run_id = $run_id AND suite = $suite AND model = $model AND outcome = 'unmeasured'
    AND phase IN ('planned', 'baseline')
GROUP BY reason
ORDER BY trials DESC, reason
LIMIT $most
